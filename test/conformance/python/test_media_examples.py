"""The examples of images, video, speech and music of the API reference, as they stand there. They need a client, and two of them a
method that no SDK has: it posts its arguments."""

from types import SimpleNamespace

from harness import each, read_text
from media import MediaSuite


class Examples(MediaSuite):
    def run_example(self, name):
        """Evaluates an example, and returns what its call gave."""
        openai = self.client(key="environment")

        def generate(path):
            return lambda **parameters: openai.post(path, body=parameters, cast_to=object)

        client = SimpleNamespace(
            images=openai.images, audio=openai.audio,
            videos=SimpleNamespace(generate=generate("/videos/generations")),
            music=SimpleNamespace(generate=generate("/music/generations")),
        )
        return openai, eval(compile(read_text(f"examples/{name}.py"), name, "eval"), {"client": client})

    def test_the_image(self):
        _, images = self.run_example("image")
        self.assertEqual(len(images.data), 1)
        self.assert_opens(self.download(images.data[0].url)[0], "png")

    def test_the_voice(self):
        self.assert_opens(self.run_example("speech")[1].read(), "mp3")

    @each([("the video", ("video", "mp4")), ("the music", ("music", "mp3"))])
    def test_the_job(self, name, kind):
        openai, job = self.run_example(name)
        self.assertLessEqual({"id", "status", "poll_url"}, set(job))
        self.assertEqual(job["status"], "queued")
        done = self.end_of(openai, job)
        self.assertEqual(done["status"], "completed")
        self.assert_opens(self.download(done["result"]["url"])[0], kind)

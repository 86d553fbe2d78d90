"""Images that are made: addresses, bytes and events."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

from openai import BadRequestError

from harness import cases, each
from media import MediaSuite, http

PROMPT = "a snow leopard in a Tang dynasty courtyard"
CASES = [(c["name"], (c,)) for c in cases("images")]


class Images(MediaSuite):
    @each(CASES)
    def test_two_images_by_address(self, case):
        raw = self.client().images.with_raw_response.generate(
            model=case["model"], prompt=PROMPT, size=case["size"], n=2, response_format="url")
        images = raw.parse()
        self.assertLess(abs(images.created - time.time()), 60)
        self.assertEqual(len({d.url for d in images.data}), 2)
        self.assertNotIn("errors", images.model_extra)
        self.assertRegex(raw.request_id, "^req_")
        self.assertEqual(raw.headers["cache-control"], "no-store")
        for d in images.data:
            self.assertIsNone(d.b64_json)
            if "made" in case:
                self.assertEqual(d.size, case["made"])
            data, content_type = self.download(d.url)
            self.assertEqual(content_type, f"image/{case['kind']}")
            self.assert_opens(data, case["kind"])

    @each(CASES)
    def test_two_images_as_bytes(self, case):
        images = self.client().images.generate(model=case["model"], prompt=PROMPT, size=case["size"], n=2, response_format="b64_json")
        self.assertEqual(len(images.data), 2)
        for d in images.data:
            self.assertIsNone(d.url)
            self.assert_opens(base64.b64decode(d.b64_json, validate=True), case["kind"])

    @each(CASES)
    def test_nothing_said_but_the_prompt_gives_one_image_by_address(self, case):
        images = self.client().images.generate(model=case["model"], prompt=PROMPT)
        self.assertEqual(len(images.data), 1)
        self.assert_opens(self.download(images.data[0].url)[0], case["kind"])

    @each(CASES)
    def test_events(self, case):
        stream = self.client().images.generate(
            model=case["model"], prompt=PROMPT, size=case["size"], n=2, stream=True, partial_images=2)
        events = list(stream)
        self.assertEqual([e.type for e in events], ["image_generation.completed"] * 2)
        for e in events:
            self.assertEqual(e.output_format, case["kind"])
            self.assertIsInstance(e.created_at, int)
            self.assert_opens(base64.b64decode(e.b64_json, validate=True), case["kind"])

    def test_events_on_the_wire(self):
        _, headers, body = http("POST", "/v1/images/generations", body={"model": "seedream-4.5", "prompt": PROMPT, "stream": True})
        self.assertTrue(headers["content-type"].startswith("text/event-stream"))
        event, rest = body.decode().split("\n\n")
        self.assertEqual(rest, "", "one event for one image, and nothing behind it")
        name, data = event.split("\n")
        self.assertEqual(name, "event: image_generation.completed")
        self.assertEqual(json.loads(data.removeprefix("data: "))["type"], "image_generation.completed")

    def test_a_failure_before_the_first_event_is_an_http_error(self):
        with self.assertRaises(BadRequestError) as caught:
            self.client().images.generate(model="seedream-4.5", prompt="[[fail moderation]]", stream=True)
        self.assertEqual(caught.exception.code, "content_filter")

    def test_the_hints_of_openai_are_taken_and_change_nothing(self):
        images = self.client().images.generate(
            model="seedream-4.5", prompt=PROMPT, n=1, size="auto", quality="hd", style="vivid", background="auto", moderation="low", user="ann")
        self.assertEqual(len(images.data), 1)

    def test_what_could_not_be_made_stands_beside_what_was(self):
        images = self.client().images.generate(model="wan-2.7", prompt=f"{PROMPT} [[fail partial]]", n=3)
        self.assertEqual(len(images.data), 2)
        for d in images.data:
            self.assert_opens(self.download(d.url)[0], "png")
        error, = images.errors
        self.assertEqual(error["index"], 2)
        self.assertTrue(error["code"] and error["message"])

    def test_20_images_at_once_are_20_images(self):
        client = self.client()

        def one(i):
            return client.images.generate(
                model="seedream-4.5", prompt=f"{PROMPT} {i}", response_format="url" if i % 2 else "b64_json").data[0]

        with ThreadPoolExecutor(20) as pool:
            images = list(pool.map(one, range(20)))
        self.assertEqual(len({d.url for d in images if d.url}), 10)
        for d in images[::2]:
            self.assert_opens(base64.b64decode(d.b64_json, validate=True), "jpeg")

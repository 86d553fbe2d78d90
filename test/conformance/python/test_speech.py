"""Speech: files that open, streams, events, voices."""

import base64
import json
import tempfile
import time
from pathlib import Path

import httpx2
from openai import APIConnectionError

from harness import cases, each
from media import MediaSuite, http

INPUT = "Welcome to vipcloud."
SPOKEN = {"model": "minimax-speech-02", "voice": "warm-female-en", "response_format": "mp3"}
CASES = [(c["name"], (c,)) for c in cases("speech")]


def wanted(case):
    return {"model": case["model"], "voice": case["voice"], "input": INPUT, "response_format": case["format"]}


class Speech(MediaSuite):
    def assert_speaks(self, data, case):
        self.assert_opens(data, case["kind"])
        if "bytesPerCharacter" in case:
            self.assertEqual(len(data), len(INPUT) * case["bytesPerCharacter"], "24 kHz, 16 bit, mono")

    @each(CASES)
    def test_a_file_that_opens(self, case):
        got = self.client().audio.speech.create(**wanted(case))
        self.assertEqual(got.response.headers["content-type"], case["type"])
        self.assertRegex(got.response.headers["x-request-id"], "^req_")
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, f"speech.{case['format']}")
            got.write_to_file(file)
            self.assert_speaks(file.read_bytes(), case)

    @each(CASES)
    def test_streamed_into_a_file(self, case):
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, f"speech.{case['format']}")
            with self.client().audio.speech.with_streaming_response.create(**wanted(case)) as response:
                self.assertEqual(response.headers["content-type"], case["type"])
                response.stream_to_file(file)
            self.assert_speaks(file.read_bytes(), case)

    @each(CASES)
    def test_events(self, case):
        _, headers, body = http("POST", "/v1/audio/speech", body={**wanted(case), "stream_format": "sse"})
        self.assertTrue(headers["content-type"].startswith("text/event-stream"))
        *lines, rest = body.decode().split("\n\n")
        self.assertEqual(rest, "", "the last event ends with an empty line")
        *events, done = [json.loads(line.removeprefix("data: ")) for line in lines if not line.startswith(":")]
        self.assertEqual(done["type"], "speech.audio.done")
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            self.assertIsInstance(done["usage"][name], int)
        self.assertEqual({e["type"] for e in events}, {"speech.audio.delta"})
        self.assert_speaks(b"".join(base64.b64decode(e["audio"], validate=True) for e in events), case)

    def test_mp3_is_what_one_gets_who_names_no_format(self):
        got = self.client().audio.speech.create(model=SPOKEN["model"], voice=SPOKEN["voice"], input=INPUT)
        self.assertEqual(got.response.headers["content-type"], "audio/mpeg")
        self.assert_opens(got.read(), "mp3")

    def test_a_voice_as_an_object(self):
        got = self.client().audio.speech.create(**{**SPOKEN, "voice": {"id": "warm-female-en"}}, input=INPUT)
        self.assert_opens(got.read(), "mp3")

    @each((m, (m,)) for m in ("minimax-speech-02", "doubao-tts", "glm-tts"))
    def test_each_listed_voice_speaks(self, model):
        client = self.client()
        detail = client.models.retrieve(model, extra_query={"detail": 1})
        self.assertEqual(detail.modality, "speech")
        self.assertTrue(detail.voices)
        for voice in detail.voices:
            self.assertTrue(client.audio.speech.create(model=model, voice=voice["id"], input=INPUT, response_format="pcm").read())

    def test_20_mb_of_speech_come_whole_and_begin_to_come_long_before_the_end(self):
        size, got, first, began = 20 << 20, 0, None, time.monotonic()
        with self.client().audio.speech.with_streaming_response.create(**SPOKEN, input=f"[[bytes {size}]]") as response:
            for piece in response.iter_bytes():
                first = first or time.monotonic() - began
                got += len(piece)
        self.assertTrue(size - 576 < got <= size, got)
        self.assertLess(first, (time.monotonic() - began) / 2)

    def test_leaving_speech_in_the_middle_ends_it_everywhere(self):
        with self.client().audio.speech.with_streaming_response.create(**SPOKEN, input="[[bytes 500000000]]") as response:
            self.assertTrue(next(response.iter_bytes(1024)))
        self.assert_idle()

    def test_speech_that_breaks_off_never_looks_whole(self):
        broken = {**SPOKEN, "input": f"{INPUT * 50} [[fail mid_stream]]"}
        with self.assertRaises(httpx2.RemoteProtocolError):
            with self.client().audio.speech.with_streaming_response.create(**broken) as response:
                response.read()
        with self.assertRaises(APIConnectionError):
            self.client().audio.speech.create(**broken)
        self.assert_idle()

    def test_speech_that_breaks_off_as_events_says_why(self):
        body = {**SPOKEN, "input": f"{INPUT * 50} [[fail mid_stream]]", "stream_format": "sse"}
        _, _, text = http("POST", "/v1/audio/speech", body=body)
        last = text.decode().rstrip().split("\n\n")[-1]
        self.assertEqual(json.loads(last.removeprefix("data: "))["error"]["type"], "upstream_error")

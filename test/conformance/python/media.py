"""What the suites of images, speech, videos and music share."""

import json
import time
import urllib.parse

import httpx2

from harness import ADMIN, BASE_URL, KEYS, Suite, ask

KINDS = {"video/mp4": "mp4", "audio/mpeg": "mp3", "audio/flac": "flac"}
BEGINS = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "flac": b"fLaC", "wav": b"RIFF", "mp3": b"\xff\xfb"}
ENDS = {"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82"}


def kind_of(data):
    """What a file is, by its first bytes; pcm is everything else."""
    if data[4:8] == b"ftyp":
        return "mp4"
    return next((kind for kind, head in BEGINS.items() if data.startswith(head)), "pcm")


def call(client, path, body, **options):
    """Calls what the SDK has for a path: a method, or where there is none or it insists on what is missing on purpose, what lies below it."""
    if path == "/images/generations" and {"model", "prompt"} <= set(body) <= {"model", "prompt", "size", "n"}:
        return client.images.generate(**body, **options)
    if path == "/audio/speech" and {"model", "voice", "input"} <= set(body):
        return client.audio.speech.create(**body, **options)
    return client.post(path, body=body, cast_to=object, **options)


def address_of(job):
    """The address of a job: poll_url is relative to the gateway, so it is resolved as any link is."""
    return urllib.parse.urljoin(BASE_URL, job["poll_url"])


def http(method, path, key="main", body=None, headers=None):
    """Plain HTTP with a key: status, headers and body."""
    headers = {"Authorization": f"Bearer {KEYS[key]}", "Content-Type": "application/json", **(headers or {})}
    return ask(method, urllib.parse.urljoin(BASE_URL, path), headers, None if body is None else json.dumps(body))


def upstream_calls(model):
    """How often the gateway has called upstreams for a model, requests apart that a vendor cannot take: most of those end in the gateway."""
    _, _, page = ask("GET", f"{ADMIN}/metrics")
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in page.decode().splitlines()
        if line.startswith("vipcloud_upstream_attempts_total{")
        and f'gen_ai_request_model="{model}"' in line
        and 'outcome="invalid_request"' not in line
    )


class MediaSuite(Suite):
    def assert_opens(self, data, kind, what=None):
        """A file opens: it is of that kind, and whole as far as its kind tells."""
        self.assertTrue(data, what)
        self.assertEqual(kind_of(data), kind, what)
        self.assertTrue(data.endswith(ENDS.get(kind, b"")), what)
        if kind == "wav":
            self.assertEqual(data[8:16], b"WAVEfmt ", what)
        if kind == "mp4":
            self.assertEqual(self.boxes(data), [b"ftyp", b"moov", b"mdat"], what)
        if kind == "mp3":
            self.assertEqual({data[at:at + 2] for at in range(0, len(data), 576)}, {b"\xff\xfb"}, what)

    def boxes(self, data):
        """The boxes of an MP4 file, which must fill it."""
        kinds, at = [], 0
        while at < len(data):
            kinds.append(data[at + 4:at + 8])
            at += int.from_bytes(data[at:at + 4], "big")
        self.assertEqual(at, len(data), "the last box is cut off")
        return kinds

    def download(self, url):
        """Gets a result from where it is, as anybody would who has the address."""
        status, headers, data = ask("GET", url)
        self.assertEqual(status, 200, url)
        return data, headers["content-type"]

    def submit(self, client, case, headers=None):
        return client.post(case["path"], body=case["body"], cast_to=object, options={"headers": headers or {}})

    def states_of(self, client, job):
        """Polls a job by the SDK's generic get until it has ended; returns all states in their order."""
        states, end = [], time.monotonic() + 20
        while not states or states[-1]["status"] not in ("completed", "failed", "cancelled"):
            self.assertLess(time.monotonic(), end, f"the job stays {states and states[-1]['status']}")
            if states:
                time.sleep(0.2)
            response = client.get(address_of(job), cast_to=httpx2.Response)
            states.append(response.json())
            self.assertEqual(response.headers["cache-control"], "no-store")
            pause = response.headers.get("retry-after")
            if states[-1]["status"] in ("queued", "in_progress"):
                self.assertEqual(response.headers["openai-poll-after-ms"], pause + "000")
            else:
                self.assertIsNone(pause)
        return states

    def end_of(self, client, job):
        return self.states_of(client, job)[-1]

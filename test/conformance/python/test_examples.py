"""The examples of the API reference, as they stand there: only the address and the key are filled in."""

import json
import shutil
import subprocess
import sys
import unittest

from harness import BASE_URL, KEYS, ORIGIN, Suite, ask, each, read_text

HEADERS = {"Authorization": f"Bearer {KEYS['environment']}", "Content-Type": "application/json"}
HELLO = {"model": "deepseek-v4-pro", "messages": [{"role": "user", "content": "Hello!"}]}
ANSWER = "Hello! 你好，世界 🌏"
needs_curl = unittest.skipUnless(shutil.which("curl"), "curl is not installed")


def example(name):
    text = read_text(f"examples/{name}")
    return text.replace("https://api.vipcloud.ai/v1", BASE_URL).replace("vc-sk-...", KEYS["environment"])


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def chat(body, headers=None):
    return ask("POST", f"{BASE_URL}/chat/completions", {**HEADERS, **(headers or {})}, json.dumps(body))


class Examples(Suite):
    def assert_shape(self, got, documented, path="$"):
        """Every member of the documented value is there, with the same type."""
        self.assertIs(type(got), type(documented), path)
        if isinstance(documented, list):
            self.assert_shape(got[0], documented[0], f"{path}[0]")
        elif isinstance(documented, dict):
            for name, value in documented.items():
                self.assertIn(name, got, path)
                self.assert_shape(got[name], value, f"{path}.{name}")

    def test_the_quickstart_for_python(self):
        self.assertEqual(run(sys.executable, "-X", "utf8", "-c", example("quickstart.py")), ANSWER + "\n")

    @needs_curl
    def test_the_quickstart_for_curl(self):
        got = json.loads(run("bash", "-c", example("quickstart.sh")))
        self.assertEqual(got["choices"][0]["message"]["content"], ANSWER)

    @needs_curl
    def test_the_catalog_by_curl(self):
        got = json.loads(run("bash", "-c", example("catalog.sh")))
        self.assertIn("deepseek-v4-pro", [m["id"] for m in got["data"]])

    def test_the_response(self):
        documented = json.loads(example("response.json"))
        got = json.loads(chat(HELLO)[2])
        self.assert_shape(got, documented)
        self.assertEqual(got["object"], documented["object"])
        self.assertEqual(got["model"], documented["model"])
        self.assertEqual(got["choices"][0]["message"]["role"], "assistant")
        self.assertEqual(got["choices"][0]["finish_reason"], "stop")
        self.assertEqual(got["usage"]["total_tokens"], got["usage"]["prompt_tokens"] + got["usage"]["completion_tokens"])

    def test_the_stream(self):
        documented = json.loads(example("stream.txt").splitlines()[0].removeprefix("data: "))
        _, headers, body = chat({**HELLO, "stream": True}, {"Accept-Encoding": "gzip, deflate, br"})
        self.assertTrue(headers["content-type"].startswith("text/event-stream"))
        self.assertIsNone(headers["content-encoding"], "a compressed stream would be held back")
        self.assertNotEqual(headers["connection"], "close", "a cut would look like a clean end")
        *events, done, rest = body.decode().split("\n\n")
        self.assertEqual((done, rest), ("data: [DONE]", ""), "the last event ends with an empty line")
        text = ""
        for event in (e for e in events if not e.startswith(":")):
            self.assertRegex(event, r"\Adata: \{.*\}\Z", "one data line and nothing else")
            delta = json.loads(event.removeprefix("data: "))["choices"][0]["delta"]
            if delta.get("content"):
                self.assert_shape({"choices": [{"delta": delta}]}, documented)
                text += delta["content"]
        self.assertEqual(text, ANSWER)

    def test_the_error(self):
        documented = json.loads(example("error.json"))["error"]
        status, _, body = chat({**HELLO, "model": "gpt-4"})
        self.assertEqual(status, 404)
        error = json.loads(body)["error"]
        self.assertEqual({name: error[name] for name in documented}, documented)

    @each([
        ("plain", ("/models", ["created", "id", "object", "owned_by"])),
        ("with detail", ("/models?detail=1", ["ctx", "label", "org", "pricing", "tags"])),
    ])
    def test_the_list_of_models(self, path, members):
        page = json.loads(ask("GET", BASE_URL + path, HEADERS)[2])
        self.assertEqual(page["object"], "list")
        model = next(m for m in page["data"] if m["id"] == "deepseek-v4-pro")
        self.assertLessEqual(set(members), set(model))

    def test_the_catalog_needs_no_key_and_is_cached_for_60_s(self):
        status, headers, _ = ask("GET", f"{ORIGIN}/v1/catalog")
        self.assertEqual(status, 200)
        self.assertEqual(headers["cache-control"], "public, max-age=60")
        self.assertEqual(headers["access-control-allow-origin"], "*")


if __name__ == "__main__":
    unittest.main()

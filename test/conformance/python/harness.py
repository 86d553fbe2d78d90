"""What the suites share: the addresses they are given, clients, the cases that all languages run, and what went over the wire."""

import http.client
import json
import os
import time
import unittest
import urllib.parse
from pathlib import Path

import httpx2
from openai import DefaultHttpx2Client, OpenAI

ROOT = Path(__file__).resolve().parent.parent


def required(name):
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set; run test/conformance/run.sh")
    return value


BASE_URL = required("OPENAI_BASE_URL")
ORIGIN = BASE_URL.removesuffix("/v1")
ADMIN = required("CONFORMANCE_ADMIN_URL")

GENERAL = "conformance/general:v1"
DEEPSEEK = "deepseek-v4-pro"


def read_text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def cases(name):
    return json.loads(read_text(f"cases/{name}.json"))


# The key of the environment is the quickstart's, which may use all models.
KEYS = {**cases("keys"), "environment": required("OPENAI_API_KEY")}


def user(content):
    return [{"role": "user", "content": content}]


class Suite(unittest.TestCase):
    """Makes one test of each row of a table, and offers clients that are closed after the test."""

    maxDiff = None

    def __init_subclass__(cls):
        for name, method in list(vars(cls).items()):
            rows = getattr(method, "rows", None)
            if rows is None:
                continue
            delattr(cls, name)
            for label, args in rows:
                def one(self, method=method, args=args):
                    method(self, *args)
                setattr(cls, f"{name}: {label}", one)

    def client(self, key="main", **options):
        """A client that repeats nothing, unless asked to."""
        options = {"base_url": BASE_URL, "api_key": KEYS[key], "max_retries": 0, **options}
        client = OpenAI(**options)
        self.addCleanup(client.close)
        return client

    def recorded(self, change=None, **options):
        """A client, and a list of the requests that it really made. change may replace the body of the n-th one."""
        transport = Recorder(change)
        return transport.calls, self.client(http_client=DefaultHttpx2Client(transport=transport), **options)

    def assert_idle(self):
        """Nothing is being served any more, so nothing that a client left behind goes on."""
        end = time.monotonic() + 5
        while metric("vipcloud_requests_in_flight") or metric("vipcloud_streams_in_flight"):
            self.assertLess(time.monotonic(), end, "requests stay in flight")
            time.sleep(0.02)


def each(rows):
    """Turns a method into one test for each (label, arguments)."""
    def mark(method):
        method.rows = list(rows)
        return method
    return mark


class Recorder(httpx2.BaseTransport):
    """Notes every request that goes out."""

    def __init__(self, change):
        self.calls = []
        self.change = change
        self.inner = httpx2.HTTPTransport()

    def handle_request(self, request):
        self.calls.append({"at": time.monotonic(), "retry": request.headers.get("x-stainless-retry-count")})
        if self.change:
            headers = {k: v for k, v in request.headers.items() if k != "content-length"}
            content = self.change(request.read(), len(self.calls))
            request = httpx2.Request(request.method, request.url, headers=headers, content=content, extensions=request.extensions)
        return self.inner.handle_request(request)

    def close(self):
        self.inner.close()


def body_of(case, stream):
    """The body of a case: its own, or a prompt to a model."""
    body = case.get("body") or {"model": case.get("model", GENERAL), "messages": user(case["prompt"])}
    return {**body, **case.get("extra", {}), **({"stream": True} if stream else {})}


def text_of(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def ask(method, url, headers=None, body=None):
    """Plain HTTP, without redirects: status, headers and body, whatever the status."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        target = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        connection.request(method, target, body=body.encode() if body is not None else None, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def metric(name):
    _, _, page = ask("GET", f"{ADMIN}/metrics")
    for line in page.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.removeprefix(name + " "))
    raise AssertionError(f"no metric {name}")

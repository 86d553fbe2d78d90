"""Every error as the SDK raises it, what the SDK repeats, and answers that break off."""

import asyncio
import re
import time

import openai
from openai import AsyncOpenAI

from harness import BASE_URL, GENERAL, KEYS, Suite, body_of, cases, each, text_of, user

CLASSES = {400: openai.BadRequestError, 401: openai.AuthenticationError, 404: openai.NotFoundError, 429: openai.RateLimitError}

# What must never reach a client: addresses, credentials and the words of foreign software.
SECRETS = re.compile(r"127\.0\.0\.1|sk-sim|simulat|nginx|upstream connect|request_id|https?:|\.go:", re.IGNORECASE)


def class_of(status):
    return openai.InternalServerError if status >= 500 else CLASSES.get(status, openai.APIStatusError)


def create(client, body):
    """Calls the SDK's method, or where that insists on a member that is missing on purpose, what lies below it."""
    if {"model", "messages"} <= set(body):
        return client.chat.completions.create(**body)
    return client.post("/chat/completions", body=body, cast_to=object, stream=body.get("stream", False), stream_cls=openai.Stream[object])


def both_ways(rows):
    for case in rows:
        yield case["name"], (case, False)
        yield case["name"] + ", streaming", (case, True)


class Errors(Suite):
    @each(both_ways(cases("errors")))
    def test_error(self, case, stream):
        calls, client = self.recorded(key=case.get("key", "main"), max_retries=1)
        with self.assertRaises(openai.APIStatusError) as caught:
            create(client, body_of(case, stream))
        error = caught.exception
        self.assertIs(type(error), class_of(case["status"]))
        self.assertEqual(error.status_code, case["status"])
        self.assertEqual((error.type, error.code, error.param), (case["type"], case["code"], case["param"]))
        self.assertRegex(error.request_id, "^req_")
        if "message" in case:
            self.assertEqual(error.body["message"], case["message"])
        self.assertGreater(len(error.body["message"]), 10)
        self.assertNotRegex(error.message, SECRETS)

        retried, pause = case.get("retried", False), case.get("retryAfter")
        self.assertEqual([c["retry"] for c in calls], ["0", "1"] if retried else ["0"])
        self.assertEqual(error.response.headers.get("retry-after"), str(pause) if pause else None)
        if pause:
            self.assertGreaterEqual(calls[1]["at"] - calls[0]["at"], pause * 0.99)
        final = case["status"] >= 500 and not retried
        self.assertEqual(error.response.headers.get("x-should-retry"), "false" if final else None)

    def test_a_body_of_33_mib_is_refused_and_the_sdk_learns_why(self):
        calls, client = self.recorded(max_retries=1)
        with self.assertRaises(openai.APIStatusError) as caught:
            client.chat.completions.create(model=GENERAL, messages=user("x" * (33 << 20)))
        error = caught.exception
        self.assertIs(type(error), openai.APIStatusError)
        self.assertEqual((error.status_code, error.code), (413, "body_too_large"))
        self.assertRegex(error.request_id, "^req_")
        self.assertEqual(len(calls), 1)

    def test_an_endpoint_that_is_not_served_yet_is_a_404_in_the_envelope(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client().embeddings.create(model=GENERAL, input="Hello!")
        self.assertEqual(caught.exception.code, "unknown_url")

    @each([("plain", (False,)), ("streaming", (True,))])
    def test_the_sdk_waits_and_recovers_from_a_rate_limit(self, stream):
        calls, client = self.recorded(change=lambda body, n: body.replace(b"[[fail rate_limit]]", b"") if n > 2 else body, max_retries=2)
        got = client.chat.completions.create(model=GENERAL, messages=user("[[fail rate_limit]][[echo at last]]"), stream=stream)
        self.assertEqual(text_of(got) if stream else got.choices[0].message.content, "at last")
        self.assertEqual([c["retry"] for c in calls], ["0", "1", "2"])
        for before, after in zip(calls, calls[1:]):
            self.assertGreaterEqual(after["at"] - before["at"], 0.99)


class Breaks(Suite):
    @each((c["name"], (c,)) for c in cases("breaks"))
    def test_a_stream_that_breaks(self, case):
        calls, client = self.recorded(max_retries=1)
        text = ""
        with self.assertRaises(openai.APIError) as caught:
            for chunk in client.chat.completions.create(**body_of(case, True)):
                text += text_of([chunk])
        error = caught.exception
        self.assertEqual((error.type, error.code), (case["type"], case["code"]))
        self.assertTrue(text.startswith(case["begins"]), f"what came before is not lost: {text}")
        self.assertNotRegex(error.message, SECRETS)
        self.assertEqual(len(calls), 1, "what has begun is not repeated")
        self.assert_idle()

    @each((c["name"], (c,)) for c in cases("breaks"))
    def test_the_accumulator_does_not_take_it_for_an_answer(self, case):
        body = body_of(case, False)
        with self.assertRaises(openai.APIError) as caught:
            with self.client().chat.completions.stream(**body) as stream:
                stream.get_final_completion()
        self.assertEqual(caught.exception.code, case["code"])

    def test_half_an_answer_without_stream_is_an_error_and_is_not_paid_for_twice(self):
        calls, client = self.recorded(max_retries=1)
        with self.assertRaises(openai.InternalServerError) as caught:
            client.chat.completions.create(model=GENERAL, messages=user("[[fail cut]]"))
        self.assertEqual((caught.exception.status_code, caught.exception.code), (502, "upstream_connection"))
        self.assertEqual(len(calls), 1)


class Aborts(Suite):
    def test_leaving_a_stream_ends_it_everywhere(self):
        began = time.monotonic()
        with self.client().chat.completions.create(model=GENERAL, messages=user("[[fail stall_mid]]"), stream=True) as stream:
            self.assertTrue(next(iter(stream)).id)
        self.assertLess(time.monotonic() - began, 2)
        self.assert_idle()

    def test_cancelling_a_task_ends_its_stream_everywhere(self):
        async def read(client, begun):
            async for _ in await client.chat.completions.create(model=GENERAL, messages=user("[[fail stall_mid]]"), stream=True):
                begun.set()

        async def cancelled():
            async with AsyncOpenAI(base_url=BASE_URL, api_key=KEYS["main"], max_retries=0) as client:
                begun = asyncio.Event()
                task = asyncio.create_task(read(client, begun))
                await asyncio.wait_for(begun.wait(), 10)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                await asyncio.to_thread(self.assert_idle)

        asyncio.run(cancelled())

    def test_a_timeout_of_the_sdk_before_the_first_byte_ends_the_request_everywhere(self):
        with self.assertRaises(openai.APITimeoutError):
            self.client(timeout=0.3).chat.completions.create(model=GENERAL, messages=user("[[fail stall_first]]"))
        self.assert_idle()

    def test_50_streams_that_are_left_at_once_end_everywhere(self):
        async def one(client):
            stream = await client.chat.completions.create(model=GENERAL, messages=user("[[fail stall_mid]]"), stream=True)
            async with stream:
                async for chunk in stream:
                    return chunk.id

        async def all_of_them():
            async with AsyncOpenAI(base_url=BASE_URL, api_key=KEYS["main"], max_retries=0) as client:
                return await asyncio.gather(*(one(client) for _ in range(50)))

        self.assertTrue(all(asyncio.run(all_of_them())))
        self.assert_idle()

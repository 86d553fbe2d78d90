"""Every error of images, speech, videos and music as the SDK raises it, and how often the vendor was called."""

import re

import openai

from harness import cases, each
from media import MediaSuite, call, upstream_calls

CLASSES = {400: openai.BadRequestError, 404: openai.NotFoundError, 429: openai.RateLimitError}

# What must never reach a client: addresses, credentials and the words of foreign software.
SECRETS = re.compile(r"127\.0\.0\.1|sk-sim|simulat|s3cr3t|nginx|request id|trace_id|https?:|\.go:", re.IGNORECASE)


class MediaErrors(MediaSuite):
    @each((c["name"], (c,)) for c in cases("media_errors"))
    def test_error(self, case):
        calls, client = self.recorded(key=case.get("key", "main"), max_retries=1)
        model, before = case["body"]["model"], upstream_calls(case["body"]["model"])
        with self.assertRaises(openai.APIStatusError) as caught:
            call(client, case["path"], case["body"])
        error, status = caught.exception, case["status"]
        self.assertIs(type(error), openai.InternalServerError if status >= 500 else CLASSES[status])
        self.assertEqual((error.status_code, error.type, error.code, error.param), (status, case["type"], case["code"], case["param"]))
        self.assertRegex(error.request_id, "^req_")
        self.assertEqual(error.body["message"], case.get("message", error.body["message"]))
        self.assertIn(case.get("says", ""), error.body["message"])
        self.assertNotRegex(error.message, SECRETS)

        retried, pause = case.get("retried", False), case.get("retryAfter")
        self.assertEqual([c["retry"] for c in calls], ["0", "1"] if retried else ["0"])
        self.assertEqual(error.response.headers.get("retry-after"), str(pause) if pause else None)
        final = status >= 500 and not retried
        self.assertEqual(error.response.headers.get("x-should-retry"), "false" if final else None)
        if "calls" in case:
            self.assertEqual(upstream_calls(model) - before, case["calls"], "calls of the vendor")

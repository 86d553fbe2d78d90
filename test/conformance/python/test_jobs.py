"""Videos and music: jobs from submit to file, by the SDK's generic methods and by plain HTTP."""

import json
import time
import urllib.parse

import httpx2
from openai import BadRequestError, InternalServerError, NotFoundError

from harness import BASE_URL, ask, cases, each
from media import KINDS, MediaSuite, address_of, http, upstream_calls

JOBS = [(c["name"], (c,)) for c in cases("jobs")]
SLOW = {"path": "/videos/generations", "body": {"model": "seedance-2", "prompt": "a cat [[fail task_slow]]"}}


def with_prompt(case, prompt):
    return {**case, "body": {**case["body"], "prompt": prompt}}


class Jobs(MediaSuite):
    def assert_queued(self, job, case):
        self.assertEqual((job["status"], job["object"], job["model"]), ("queued", case["object"], case["body"]["model"]))
        self.assertEqual(job["id"], job["job_id"])
        self.assertEqual(job["poll_url"], f"/v1/{case['path'].split('/')[1]}/jobs/{job['id']}")
        self.assertLess(abs(job["created_at"] - time.time()), 60)

    def assert_done(self, job, case):
        """The files of a job that is done: those that were asked for, and other forms of them."""
        self.assertEqual(job["status"], "completed", job.get("error"))
        self.assertNotIn("error", job)
        result, files = job["result"], job["result"]["files"]
        plain = [f for f in files if "variant" not in f]
        self.assertEqual(result["url"], result["urls"][0])
        self.assertEqual(result["urls"], [f["url"] for f in plain])
        self.assertEqual([f["content_type"] for f in plain], case["files"])
        for variant, content_type in case.get("variants", {}).items():
            found = [f["content_type"] for f in files if f.get("variant") == variant]
            self.assertEqual(found, [content_type] * len(plain), variant)
        for f in files:
            self.assert_opens(self.download(f["url"])[0], KINDS[f["content_type"]], f["url"])

    @each(JOBS)
    def test_by_the_generic_methods_of_the_sdk(self, case):
        client = self.client()
        response = client.post(case["path"], body=case["body"], cast_to=httpx2.Response)
        self.assertEqual(response.headers["x-should-retry"], "false")
        job = response.json()
        self.assert_queued(job, case)
        states = self.states_of(client, job)
        same = ("id", "model", "created_at", "poll_url")
        for state in states:
            self.assertEqual([state[name] for name in same], [job[name] for name in same])
        self.assert_done(states[-1], case)
        for word in case.get("warnings", []):
            self.assertTrue(any(word in w for w in states[-1]["warnings"]), word)

    @each(JOBS)
    def test_by_plain_http(self, case):
        state = json.loads(http("POST", "/v1" + case["path"], body=case["body"])[2])
        self.assert_queued(state, case)
        while state["status"] not in ("completed", "failed"):
            time.sleep(0.2)
            state = json.loads(http("GET", state["poll_url"])[2])
        self.assert_done(state, case)

    @each(row for row in JOBS if "cancel" in row[1][0])
    def test_cancelling(self, case):
        client = self.client()
        job = self.submit(client, with_prompt(case, case["body"]["prompt"] + " [[fail task_slow]]"))
        if case["cancel"] == "cancelled":
            self.assertEqual(client.delete(address_of(job), cast_to=object)["status"], "cancelled")
            self.assertEqual(self.end_of(client, job)["status"], "cancelled")
            return
        with self.assertRaises(BadRequestError) as caught:
            client.delete(address_of(job), cast_to=object)
        self.assertEqual(caught.exception.code, case["cancel"])

    @each((c["name"], (c,)) for c in cases("job_ends"))
    def test_a_failed_job_is_a_poll_that_succeeds(self, case):
        client = self.client()
        job = self.end_of(client, self.submit(client, case))
        self.assertEqual(job["status"], case["status"])
        self.assertNotIn("result", job)
        self.assertEqual(job["error"]["code"], case.get("code", job["error"]["code"]))
        self.assertGreater(len(job["error"]["message"]), 10)

    def test_a_job_is_queued_then_in_progress_and_cannot_be_cancelled_any_more(self):
        client = self.client()
        job, seen = self.submit(client, with_prompt(SLOW, "a cat [[fail task_stuck]]")), []
        while seen[-1:] != ["in_progress"]:
            self.assertLess(len(seen), 50)
            seen.append(client.get(address_of(job), cast_to=object)["status"])
            time.sleep(0.2)
        self.assertEqual(seen[0], "queued")
        self.assertEqual(client.delete(address_of(job), cast_to=object)["status"], "in_progress")

    def test_an_id_that_is_not_the_own_one_is_not_found_whatever_is_wrong_with_it(self):
        job, messages = self.submit(self.client(), SLOW), set()
        for wrong, key, kind in [
            (job["id"], "narrow", "videos"), (job["id"], "main", "music"), (job["id"][:-4] + "AAAA", "main", "videos"),
            (job["id"][:60], "main", "videos"), ("nonsense", "main", "videos"), (job["id"].lower(), "main", "videos"),
        ]:
            client = self.client(key=key)
            for method in (client.get, client.delete) if kind == "videos" else (client.get,):
                with self.assertRaises(NotFoundError) as caught:
                    method(f"/{kind}/jobs/{wrong}", cast_to=object)
                error = caught.exception
                self.assertEqual((error.type, error.code, error.param), ("not_found_error", "job_not_found", None))
                messages.add(error.body["message"])
        self.assertEqual(len(messages), 1, "one and the same answer")
        self.assertEqual(self.client().get(f"/videos/jobs/{job['id']}", cast_to=object)["status"], "queued", "below the base URL, too")
        self.client().delete(address_of(job), cast_to=object)

    def test_an_idempotency_key_makes_one_job_of_two_submits(self):
        client, before = self.client(), upstream_calls("seedance-2")
        once = {"headers": {"Idempotency-Key": f"python-{time.time()}"}}
        first, second = [client.post(SLOW["path"], body=SLOW["body"], cast_to=httpx2.Response, options=once) for _ in range(2)]
        self.assertEqual(first.json()["id"], second.json()["id"])
        self.assertEqual([r.headers.get("idempotent-replayed") for r in (first, second)], [None, "true"])
        self.assertEqual(upstream_calls("seedance-2") - before, 1)
        with self.assertRaises(BadRequestError) as caught:
            client.post(SLOW["path"], body=with_prompt(SLOW, "a dog")["body"], cast_to=object, options=once)
        self.assertEqual(caught.exception.code, "idempotency_key_reused")
        self.assertNotEqual(self.submit(client, SLOW)["id"], first.json()["id"], "without the key it is another job")

    def test_an_idempotency_key_keeps_even_a_lost_answer_from_becoming_a_second_video(self):
        client, before = self.client(), upstream_calls("seedance-2")
        once = {"headers": {"Idempotency-Key": f"python-lost-{time.time()}"}}
        for _ in range(2):
            with self.assertRaises(InternalServerError) as caught:
                client.post(SLOW["path"], body=with_prompt(SLOW, "a cat [[fail lost]]")["body"], cast_to=object, options=once)
            self.assertEqual(caught.exception.response.headers["x-should-retry"], "false")
        self.assertEqual(upstream_calls("seedance-2") - before, 1)
        with self.assertRaises(BadRequestError) as caught:
            self.submit(client, SLOW, {"Idempotency-Key": "k" * 256})
        self.assertEqual(caught.exception.code, "invalid_idempotency_key")

    def test_a_result_through_the_gateway_needs_the_key_and_comes_in_parts_too(self):
        client = self.client()
        job = self.end_of(client, client.post(
            "/videos/generations", body={"model": "conformance/proxied-video", "prompt": "a cat"}, cast_to=object))
        url = job["result"]["url"]
        self.assertEqual(url, f"/v1/videos/jobs/{job['id']}/content?file=0")
        whole = client.get(urllib.parse.urljoin(BASE_URL, url), cast_to=httpx2.Response)
        self.assertEqual(whole.headers["content-type"], "video/mp4")
        self.assert_opens(whole.content, "mp4")
        status, _, part = http("GET", url, headers={"Range": "bytes=4-7"})
        self.assertEqual((status, part), (206, b"ftyp"))
        self.assertEqual(ask("GET", urllib.parse.urljoin(BASE_URL, url))[0], 401)
        self.assertEqual(http("GET", url, key="narrow")[0], 404)

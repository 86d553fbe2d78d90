"""Chat completions that succeed."""

import asyncio
import json
import math

from openai import AsyncOpenAI

from harness import BASE_URL, DEEPSEEK, GENERAL, KEYS, Suite, cases, each, text_of, user

BOTH = [(model, (model,)) for model in (GENERAL, DEEPSEEK)]
ANSWER = "Hello! 你好，世界 🌏"


class Chat(Suite):
    def create(self, **body):
        return self.client().chat.completions.create(**body)

    @each((c["name"], (c,)) for c in cases("texts"))
    def test_text(self, case):
        body = {"model": GENERAL, "messages": user(f"{case.get('prefix', '')}[[echo {case['text']}]]")}
        whole = self.create(**body)
        self.assertEqual(whole.choices[0].message.content, case["text"])
        chunks = list(self.create(**body, stream=True))
        self.assertEqual(text_of(chunks), case["text"])
        self.assertEqual(chunks[-1].choices[0].finish_reason, whole.choices[0].finish_reason)

    @each(BOTH)
    def test_an_answer(self, model):
        raw = self.client().chat.completions.with_raw_response.create(model=model, messages=user("Hello!"))
        got = raw.parse()
        self.assertEqual(got.object, "chat.completion")
        self.assertEqual(got.model, model)
        self.assertEqual(len(got.choices), 1)
        self.assertEqual(got.choices[0].message.role, "assistant")
        self.assertEqual(got.choices[0].message.content, ANSWER)
        self.assertEqual(got.choices[0].finish_reason, "stop")
        self.assertEqual(got.usage.prompt_tokens, 2)
        self.assertEqual(got.usage.total_tokens, got.usage.prompt_tokens + got.usage.completion_tokens)
        self.assertRegex(raw.request_id, "^req_")
        self.assertEqual(got._request_id, raw.request_id)
        self.assertRegex(raw.headers["server-timing"], "^gateway;dur=")

    @each((f"{model}, include_usage {asked}", (model, asked)) for model in (GENERAL, DEEPSEEK) for asked in (True, False, None))
    def test_a_stream(self, model, asked):
        options = {} if asked is None else {"stream_options": {"include_usage": asked}}
        whole = self.create(model=model, messages=user("Hello!"))
        raw = self.client().chat.completions.with_raw_response.create(model=model, messages=user("Hello!"), stream=True, **options)
        self.assertRegex(raw.headers["x-request-id"], "^req_")
        chunks = list(raw.parse())
        self.assertEqual(text_of(chunks), ANSWER)

        bookkeeping = [c for c in chunks if not c.choices]
        self.assertEqual(len(bookkeeping), 1 if asked else 0)
        self.assertEqual([c for c in chunks if c.usage], bookkeeping, "usage stands in a chunk of its own")
        if asked:
            self.assertIs(chunks[-1], bookkeeping[0], "the usage chunk is the last")
            self.assertEqual(bookkeeping[0].usage, whole.usage)

        spoken = [c for c in chunks if c.choices]
        self.assertEqual(spoken[0].choices[0].delta.role, "assistant")
        reasons = [c.choices[0].finish_reason for c in spoken]
        self.assertEqual(reasons, [None] * (len(spoken) - 1) + ["stop"])
        self.assertEqual({(c.object, c.model, c.id, c.created) for c in chunks}, {("chat.completion.chunk", model, chunks[0].id, chunks[0].created)})
        self.assertFalse([c for c in chunks if "error" in (c.model_extra or {})])

    @each(BOTH)
    def test_json_mode(self, model):
        body = {"model": model, "messages": user('Answer in JSON. [[echo 杭州 "West Lake"]]'), "response_format": {"type": "json_object"}}
        whole = self.create(**body)
        self.assertEqual(json.loads(whole.choices[0].message.content), {"answer": '杭州 "West Lake"'})
        self.assertEqual(text_of(self.create(**body, stream=True)), whole.choices[0].message.content)

    @each(BOTH)
    def test_a_limit_of_tokens_under_its_newer_name(self, model):
        long = "word " * 199 + "word"
        got = self.create(model=model, messages=user(f"[[echo {long}]]"), max_completion_tokens=40)
        self.assertEqual(got.choices[0].finish_reason, "length")
        self.assertLess(len(got.choices[0].message.content), len(long))
        self.assertLessEqual(got.usage.completion_tokens, 40)

    def test_an_alias_answers_with_the_public_name(self):
        self.assertEqual(self.create(model="conformance-alias", messages=user("Hello!")).model, GENERAL)

    def test_a_preview_model_with_the_grant(self):
        got = self.create(model="conformance/granted", messages=user("[[echo yes]]"))
        self.assertEqual(got.choices[0].message.content, "yes")

    def test_several_choices(self):
        body = {"model": GENERAL, "messages": user("[[echo same]]"), "n": 3}
        got = [(c.index, c.message.content) for c in self.create(**body).choices]
        self.assertEqual(got, [(0, "same"), (1, "same"), (2, "same")])
        texts = ["", "", ""]
        for chunk in self.create(**body, stream=True):
            for c in chunk.choices:
                texts[c.index] += c.delta.content or ""
        self.assertEqual(texts, ["same", "same", "same"])

    def test_messages_of_every_role_and_content_in_parts(self):
        got = self.create(model=GENERAL, messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "Hello!", "name": "ann"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello, Ann."}]},
            {"role": "user", "content": [
                {"type": "text", "text": "[[echo parts]]"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ]},
        ])
        self.assertEqual(got.choices[0].message.content, "parts")

    def test_members_that_the_sdk_does_not_know_go_both_ways(self):
        def ask(thinking, **options):
            return self.create(model=DEEPSEEK, messages=user("Hello!"), extra_body={"thinking": {"type": thinking}}, **options)
        self.assertEqual(ask("enabled").choices[0].message.reasoning_content, "Let me think 思考.")
        self.assertFalse(getattr(ask("disabled").choices[0].message, "reasoning_content", None))
        deltas = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in ask("enabled", stream=True)]
        self.assertEqual("".join(deltas), "Let me think 思考.")

    def test_a_prompt_of_2_mb_arrives_whole(self):
        prompt = "漢字 and 🌏 " * 140_000 + "[[echo long]]"
        size = len(prompt.encode())
        self.assertGreater(size, 2 << 20)
        whole = self.create(model=GENERAL, messages=user(prompt))
        self.assertEqual(whole.choices[0].message.content, "long")
        self.assertEqual(whole.usage.prompt_tokens, math.ceil(size / 4), "the simulated vendor counts four bytes a token")
        self.assertEqual(text_of(self.create(model=GENERAL, messages=user(prompt), stream=True)), "long")

    def test_a_chunk_of_2_mb_arrives_whole(self):
        chunks = list(self.create(model=GENERAL, messages=user("[[fail huge_line]]"), stream=True))
        self.assertGreater(max(len(c.choices[0].delta.content or "") for c in chunks), 2_000_000)
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_50_parallel_streams_do_not_mix(self):
        async def one(client, i):
            text = f"stream {i}: {'七 ' * i}end"
            model = GENERAL if i % 2 else DEEPSEEK
            stream = await client.chat.completions.create(
                model=model, messages=user(f"[[chunks 20]][[fail slow]][[echo {text}]]"), stream=True)
            chunks = [chunk async for chunk in stream]
            return text_of(chunks), text, len({c.id for c in chunks})

        async def all_of_them():
            async with AsyncOpenAI(base_url=BASE_URL, api_key=KEYS["main"], max_retries=0) as client:
                return await asyncio.gather(*(one(client, i) for i in range(50)))

        for got, want, ids in asyncio.run(all_of_them()):
            self.assertEqual(got, want)
            self.assertEqual(ids, 1)

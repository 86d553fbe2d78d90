"""Tool calls: whole, streamed, in parallel, and the way back with their results."""

import json

from harness import DEEPSEEK, GENERAL, Suite, each, user

BOTH = [(model, (model,)) for model in (GENERAL, DEEPSEEK)]


def tool(name, parameter):
    parameters = {"type": "object", "properties": {parameter: {"type": "string"}}, "required": [parameter]}
    return {"type": "function", "function": {"name": name, "description": f"{name} of a city", "parameters": parameters}}


TOOLS = [tool("get_weather", "city"), tool("get_time", "place")]
WANTED = [("get_weather", {"city": "杭州 Hangzhou"}), ("get_time", {"place": "杭州 Hangzhou"})]


def named(calls):
    return [(c.function.name, json.loads(c.function.arguments)) for c in calls]


class Tools(Suite):
    @each(BOTH)
    def test_a_tool_call_and_the_answer_to_its_result(self, model):
        client = self.client()
        messages = user("What is the weather? [[tool]]")
        choice = client.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        self.assertEqual(named(choice.message.tool_calls), WANTED[:1])
        self.assertEqual(choice.message.tool_calls[0].type, "function")

        messages += [choice.message, {"role": "tool", "tool_call_id": choice.message.tool_calls[0].id, "content": "晴 21°C"}]
        second = client.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0]
        self.assertEqual(second.finish_reason, "stop")
        self.assertEqual(second.message.content, "Hello! 你好，世界 🌏")

    @each(BOTH)
    def test_parallel_tool_calls_in_chunks(self, model):
        stream = self.client().chat.completions.create(model=model, messages=user("Both, please. [[tools2]]"), tools=TOOLS, stream=True)
        heads, arguments = {}, {}
        for chunk in stream:
            for part in chunk.choices[0].delta.tool_calls or []:
                heads.setdefault(part.index, (part.id, part.type, part.function.name))
                arguments[part.index] = arguments.get(part.index, "") + (part.function.arguments or "")
        self.assertEqual([(heads[i][2], json.loads(arguments[i])) for i in sorted(heads)], WANTED)
        self.assertEqual([heads[i][1] for i in sorted(heads)], ["function", "function"])
        self.assertEqual(len({h[0] for h in heads.values()}), 2)

    @each(BOTH)
    def test_parallel_tool_calls_through_the_accumulator(self, model):
        finished = []
        with self.client().chat.completions.stream(
            model=model, messages=user("Both, please. [[tools2]]"), tools=TOOLS, stream_options={"include_usage": True},
        ) as stream:
            for event in stream:
                if event.type == "tool_calls.function.arguments.done":
                    finished.append((event.name, json.loads(event.arguments)))
            completion = stream.get_final_completion()
        self.assertEqual(finished, WANTED)
        self.assertEqual(named(completion.choices[0].message.tool_calls), WANTED)
        self.assertEqual(completion.choices[0].finish_reason, "tool_calls")
        self.assertEqual(completion.model, model)
        self.assertGreater(completion.usage.completion_tokens, 0)

    def test_a_text_through_the_accumulator(self):
        with self.client().chat.completions.stream(model=GENERAL, messages=user("[[split]][[chunks 5]][[echo 你好 🌏 world]]")) as stream:
            deltas = [event.delta for event in stream if event.type == "content.delta" and event.delta]
            completion = stream.get_final_completion()
        self.assertEqual(completion.choices[0].message.content, "你好 🌏 world")
        self.assertEqual(len(deltas), 5)

    def test_a_named_function_is_called(self):
        got = self.client().chat.completions.create(
            model=GENERAL, messages=user("Now."), tools=TOOLS, tool_choice={"type": "function", "function": {"name": "get_time"}})
        self.assertEqual(named(got.choices[0].message.tool_calls), WANTED[1:])

// Tool calls: whole, streamed, in parallel, and the way back with their results.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, collect, deepseek, general, user } from './harness.mjs';

const openai = client();
const tool = (name, parameter) => ({
  type: 'function',
  function: { name, description: `${name} of a city`, parameters: { type: 'object', properties: { [parameter]: { type: 'string' } }, required: [parameter] } },
});
const tools = [tool('get_weather', 'city'), tool('get_time', 'place')];
const wanted = [['get_weather', { city: '杭州 Hangzhou' }], ['get_time', { place: '杭州 Hangzhou' }]];
const named = (calls) => calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]);

for (const model of [general, deepseek]) {
  test(`a tool call of ${model}, and the answer to its result`, async () => {
    const messages = user('What is the weather? [[tool]]');
    const first = await openai.chat.completions.create({ model, messages, tools });
    const [choice] = first.choices;
    assert.equal(choice.finish_reason, 'tool_calls');
    assert.deepEqual(named(choice.message.tool_calls), wanted.slice(0, 1));
    assert.equal(choice.message.tool_calls[0].type, 'function');

    messages.push(choice.message, { role: 'tool', tool_call_id: choice.message.tool_calls[0].id, content: '晴 21°C' });
    const second = await openai.chat.completions.create({ model, messages, tools });
    assert.equal(second.choices[0].finish_reason, 'stop');
    assert.equal(second.choices[0].message.content, 'Hello! 你好，世界 🌏');
  });

  test(`parallel tool calls of ${model} in chunks`, async () => {
    const stream = await openai.chat.completions.create({ model, messages: user('Both, please. [[tools2]]'), tools, stream: true });
    const calls = [];
    for (const chunk of await collect(stream)) {
      for (const part of chunk.choices[0].delta.tool_calls ?? []) {
        calls[part.index] ??= { id: part.id, type: part.type, function: { name: part.function.name, arguments: '' } };
        calls[part.index].function.arguments += part.function.arguments ?? '';
      }
    }
    assert.deepEqual(named(calls), wanted);
    assert.equal(new Set(calls.map((c) => c.id)).size, 2);
    assert.deepEqual(calls.map((c) => c.type), ['function', 'function']);
  });

  test(`parallel tool calls of ${model} through the SDK's own accumulator`, async () => {
    const finished = [];
    const runner = openai.chat.completions
      .stream({ model, messages: user('Both, please. [[tools2]]'), tools, stream_options: { include_usage: true } })
      .on('tool_calls.function.arguments.done', (e) => finished.push([e.name, JSON.parse(e.arguments)]));
    const completion = await runner.finalChatCompletion();
    assert.deepEqual(finished, wanted);
    assert.deepEqual(named(completion.choices[0].message.tool_calls), wanted);
    assert.equal(completion.choices[0].finish_reason, 'tool_calls');
    assert.equal(completion.model, model);
    assert.ok((await runner.totalUsage()).completion_tokens > 0);
  });
}

test('a text through the accumulator', async () => {
  const deltas = [];
  const runner = openai.chat.completions
    .stream({ model: general, messages: user('[[split]][[chunks 5]][[echo 你好 🌏 world]]') })
    .on('content', (delta) => deltas.push(delta));
  assert.equal(await runner.finalContent(), '你好 🌏 world');
  assert.equal(deltas.length, 5);
});

test('a named function is called', async () => {
  const got = await openai.chat.completions.create({
    model: general, messages: user('Now.'), tools, tool_choice: { type: 'function', function: { name: 'get_time' } },
  });
  assert.deepEqual(named(got.choices[0].message.tool_calls), wanted.slice(1));
});

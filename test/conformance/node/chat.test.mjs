// Chat completions that succeed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, client, collect, deepseek, general, textOf, user } from './harness.mjs';

const openai = client();
const create = (body, options) => openai.chat.completions.create(body, options);
const both = [general, deepseek];

for (const c of cases('texts')) {
  test(`text: ${c.name}`, async () => {
    const body = { model: general, messages: user(`${c.prefix ?? ''}[[echo ${c.text}]]`) };
    const whole = await create(body);
    assert.equal(whole.choices[0].message.content, c.text);
    const chunks = await collect(await create({ ...body, stream: true }));
    assert.equal(textOf(chunks), c.text);
    assert.equal(chunks.at(-1).choices[0].finish_reason, whole.choices[0].finish_reason);
  });
}

for (const model of both) {
  test(`an answer of ${model}`, async () => {
    const { data, response, request_id } = await create({ model, messages: user('Hello!') }).withResponse();
    assert.equal(data.object, 'chat.completion');
    assert.equal(data.model, model);
    assert.equal(data.choices.length, 1);
    assert.equal(data.choices[0].message.role, 'assistant');
    assert.equal(data.choices[0].message.content, 'Hello! 你好，世界 🌏');
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.equal(data.usage.prompt_tokens, 2);
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
    assert.match(request_id, /^req_/);
    assert.equal(data._request_id, request_id);
    assert.match(response.headers.get('server-timing'), /^gateway;dur=/);
  });

  for (const includeUsage of [true, false, undefined]) {
    test(`a stream of ${model} with include_usage ${includeUsage}`, async () => {
      const body = { model, messages: user('Hello!') };
      const options = includeUsage === undefined ? {} : { stream_options: { include_usage: includeUsage } };
      const whole = await create(body);
      const { data: stream, request_id } = await create({ ...body, stream: true, ...options }).withResponse();
      assert.match(request_id, /^req_/);
      const chunks = await collect(stream);
      assert.equal(textOf(chunks), whole.choices[0].message.content);

      const bookkeeping = chunks.filter((c) => c.choices.length === 0);
      const counted = chunks.filter((c) => c.usage);
      assert.equal(bookkeeping.length, includeUsage ? 1 : 0);
      assert.deepEqual(counted, bookkeeping, 'usage stands in a chunk of its own');
      if (includeUsage) {
        assert.equal(chunks.at(-1), counted[0], 'the usage chunk is the last');
        assert.deepEqual(counted[0].usage, whole.usage);
      }

      const spoken = chunks.filter((c) => c.choices.length > 0);
      assert.equal(spoken[0].choices[0].delta.role, 'assistant');
      assert.deepEqual(spoken.map((c) => c.choices[0].finish_reason).filter(Boolean), ['stop']);
      assert.equal(spoken.at(-1).choices[0].finish_reason, 'stop');
      for (const c of chunks) {
        assert.equal(c.object, 'chat.completion.chunk');
        assert.equal(c.model, model);
        assert.equal(c.id, chunks[0].id);
        assert.equal(c.created, chunks[0].created);
        assert.ok(!('error' in c));
      }
    });
  }

  test(`JSON mode of ${model}`, async () => {
    const body = { model, messages: user('Answer in JSON. [[echo 杭州 "West Lake"]]'), response_format: { type: 'json_object' } };
    const whole = await create(body);
    assert.deepEqual(JSON.parse(whole.choices[0].message.content), { answer: '杭州 "West Lake"' });
    assert.equal(textOf(await collect(await create({ ...body, stream: true }))), whole.choices[0].message.content);
  });

  test(`a limit of tokens under its newer name at ${model}`, async () => {
    const long = 'word '.repeat(200).trim();
    const got = await create({ model, messages: user(`[[echo ${long}]]`), max_completion_tokens: 40 });
    assert.equal(got.choices[0].finish_reason, 'length');
    assert.ok(got.choices[0].message.content.length < long.length);
    assert.ok(got.usage.completion_tokens <= 40);
  });
}

test('an alias answers with the public name', async () => {
  assert.equal((await create({ model: 'conformance-alias', messages: user('Hello!') })).model, general);
});

test('a preview model with the grant', async () => {
  assert.equal((await create({ model: 'conformance/granted', messages: user('[[echo yes]]') })).choices[0].message.content, 'yes');
});

test('several choices', async () => {
  const body = { model: general, messages: user('[[echo same]]'), n: 3 };
  assert.deepEqual((await create(body)).choices.map((c) => [c.index, c.message.content]), [[0, 'same'], [1, 'same'], [2, 'same']]);
  const texts = ['', '', ''];
  for await (const chunk of await create({ ...body, stream: true })) {
    for (const c of chunk.choices) texts[c.index] += c.delta.content ?? '';
  }
  assert.deepEqual(texts, ['same', 'same', 'same']);
});

test('messages of every role, and content in parts', async () => {
  const got = await create({
    model: general,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
      { role: 'user', content: 'Hello!', name: 'ann' },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello, Ann.' }] },
      { role: 'user', content: [{ type: 'text', text: '[[echo parts]]' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
    ],
  });
  assert.equal(got.choices[0].message.content, 'parts');
});

test('members that the SDK does not know go both ways', async () => {
  const got = await create({ model: deepseek, messages: user('Hello!'), thinking: { type: 'enabled' } });
  assert.equal(got.choices[0].message.reasoning_content, 'Let me think 思考.');
  const quiet = await create({ model: deepseek, messages: user('Hello!'), thinking: { type: 'disabled' } });
  assert.ok(!quiet.choices[0].message.reasoning_content);
  const chunks = await collect(await create({ model: deepseek, messages: user('Hello!'), stream: true }));
  assert.equal(chunks.map((c) => c.choices[0].delta.reasoning_content ?? '').join(''), 'Let me think 思考.');
});

test('a prompt of 2 MB arrives whole', async () => {
  const prompt = `${'漢字 and 🌏 '.repeat(140_000)}[[echo long]]`;
  const size = Buffer.byteLength(prompt);
  assert.ok(size > 2 << 20);
  const body = { model: general, messages: user(prompt) };
  const whole = await create(body);
  assert.equal(whole.choices[0].message.content, 'long');
  assert.equal(whole.usage.prompt_tokens, Math.ceil(size / 4), 'the simulated vendor counts four bytes a token');
  assert.equal(textOf(await collect(await create({ ...body, stream: true }))), 'long');
});

test('a chunk of 2 MB arrives whole', async () => {
  const chunks = await collect(await create({ model: general, messages: user('[[fail huge_line]]'), stream: true }));
  assert.ok(Math.max(...chunks.map((c) => c.choices[0].delta.content?.length ?? 0)) > 2_000_000);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});

test('50 parallel streams do not mix', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    const text = `stream ${i}: ${'七 '.repeat(i)}end`;
    const body = { model: i % 2 ? general : deepseek, messages: user(`[[chunks 20]][[fail slow]][[echo ${text}]]`), stream: true };
    const chunks = await collect(await create(body));
    return [textOf(chunks), text, new Set(chunks.map((c) => c.id)).size];
  }));
  for (const [got, want, ids] of answers) {
    assert.equal(got, want);
    assert.equal(ids, 1);
  }
});

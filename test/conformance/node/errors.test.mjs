// Every error as the SDK raises it, what the SDK repeats, and answers that break off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { bodyOf, cases, client, collect, general, idle, recorded, rejection, textOf, user } from './harness.mjs';

function classOf(status) {
  const classes = { 400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 404: OpenAI.NotFoundError, 429: OpenAI.RateLimitError };
  return status >= 500 ? OpenAI.InternalServerError : classes[status] ?? OpenAI.APIError;
}

// What must never reach a client: addresses, credentials and the words of foreign software.
const secrets = /127\.0\.0\.1|sk-sim|simulat|nginx|upstream connect|request_id|https?:|\.go:/i;

for (const c of cases('errors')) {
  for (const stream of [false, true]) {
    test(`error: ${c.name}${stream ? ', streaming' : ''}`, async () => {
      const { calls, client: openai } = recorded({ key: c.key, maxRetries: 1 });
      const error = await rejection(openai.chat.completions.create(bodyOf(c, stream)));
      assert.equal(error.constructor, classOf(c.status), error.stack);
      assert.equal(error.status, c.status);
      assert.equal(error.type, c.type);
      assert.equal(error.code, c.code);
      assert.equal(error.param, c.param);
      assert.match(error.requestID, /^req_/);
      if (c.message) assert.equal(error.error.message, c.message);
      assert.ok(error.error.message.length > 10);
      assert.doesNotMatch(error.message, secrets);

      assert.deepEqual(calls.map((x) => x.retry), c.retried ? ['0', '1'] : ['0']);
      assert.equal(error.headers.get('retry-after'), c.retryAfter ? String(c.retryAfter) : null);
      if (c.retryAfter) assert.ok(calls[1].at - calls[0].at >= c.retryAfter * 990, `repeated after ${calls[1].at - calls[0].at} ms`);
      assert.equal(error.headers.get('x-should-retry'), c.status >= 500 && !c.retried ? 'false' : null);
    });
  }
}

test('a body of 33 MiB is refused, and the SDK learns why', async () => {
  const { calls, client: openai } = recorded({ maxRetries: 1 });
  const error = await rejection(openai.chat.completions.create({ model: general, messages: user('x'.repeat(33 << 20)) }));
  assert.equal(error.status, 413, error.stack);
  assert.equal(error.constructor, OpenAI.APIError);
  assert.equal(error.code, 'body_too_large');
  assert.match(error.requestID, /^req_/);
  assert.equal(calls.length, 1);
});

test('an endpoint that is not served yet is a 404 in the envelope', async () => {
  const error = await rejection(client().embeddings.create({ model: general, input: 'Hello!' }));
  assert.ok(error instanceof OpenAI.NotFoundError);
  assert.equal(error.code, 'unknown_url');
});

for (const stream of [false, true]) {
  test(`the SDK waits and recovers from a rate limit${stream ? ', streaming' : ''}`, async () => {
    const change = (body, n) => (n > 2 ? body.replace('[[fail rate_limit]]', '') : body);
    const { calls, client: openai } = recorded({ change, maxRetries: 2 });
    const got = await openai.chat.completions.create({ model: general, messages: user('[[fail rate_limit]][[echo at last]]'), stream });
    assert.equal(stream ? textOf(await collect(got)) : got.choices[0].message.content, 'at last');
    assert.deepEqual(calls.map((x) => x.retry), ['0', '1', '2']);
    for (const i of [1, 2]) assert.ok(calls[i].at - calls[i - 1].at >= 990);
  });
}

for (const c of cases('breaks')) {
  test(`a stream that breaks: ${c.name}`, async () => {
    const { calls, client: openai } = recorded({ maxRetries: 1 });
    let text = '';
    const error = await rejection((async () => {
      for await (const chunk of await openai.chat.completions.create(bodyOf(c, true))) text += chunk.choices[0]?.delta?.content ?? '';
    })());
    assert.ok(error instanceof OpenAI.APIError, error.stack);
    assert.equal(error.type, c.type);
    assert.equal(error.code, c.code);
    assert.ok(text.startsWith(c.begins), `what came before is not lost: ${text}`);
    assert.doesNotMatch(error.message, secrets);
    assert.equal(calls.length, 1, 'what has begun is not repeated');
    await idle();
  });

  test(`the accumulator does not take it for an answer: ${c.name}`, async () => {
    const error = await rejection(client().chat.completions.stream(bodyOf(c, true)).finalChatCompletion());
    assert.equal(error.code, c.code, error.stack);
  });
}

test('half an answer without stream is an error, and is not paid for twice', async () => {
  const { calls, client: openai } = recorded({ maxRetries: 1 });
  const error = await rejection(openai.chat.completions.create({ model: general, messages: user('[[fail cut]]') }));
  assert.ok(error instanceof OpenAI.InternalServerError, error.stack);
  assert.equal(error.status, 502);
  assert.equal(error.code, 'upstream_connection');
  assert.equal(calls.length, 1);
});

test('leaving a stream ends it everywhere', async () => {
  const stream = await client().chat.completions.create({ model: general, messages: user('[[fail stall_mid]]'), stream: true });
  const began = performance.now();
  for await (const chunk of stream) {
    assert.ok(chunk.id);
    break;
  }
  assert.ok(performance.now() - began < 2000);
  await idle();
});

test('aborting by signal ends a stream everywhere', async () => {
  const abort = new AbortController();
  const stream = await client().chat.completions.create(
    { model: general, messages: user('[[fail stall_mid]]'), stream: true }, { signal: abort.signal });
  let chunks = 0;
  const began = performance.now();
  for await (const chunk of stream) {
    assert.ok(chunk.id);
    if (++chunks === 2) abort.abort();
  }
  assert.equal(chunks, 2);
  assert.ok(performance.now() - began < 2000);
  await idle();
});

test('a timeout of the SDK before the first byte ends the request everywhere', async () => {
  const error = await rejection(client({ timeout: 300 }).chat.completions.create({ model: general, messages: user('[[fail stall_first]]') }));
  assert.ok(error instanceof OpenAI.APIConnectionTimeoutError, error.stack);
  await idle();
});

test('50 streams that are left at once end everywhere', async () => {
  const openai = client();
  await Promise.all(Array.from({ length: 50 }, async () => {
    const stream = await openai.chat.completions.create({ model: general, messages: user('[[fail stall_mid]]'), stream: true });
    for await (const chunk of stream) {
      assert.ok(chunk.id);
      break;
    }
  }));
  await idle();
});

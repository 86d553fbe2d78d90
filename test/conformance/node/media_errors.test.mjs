// Every error of images, speech, videos and music as the SDK raises it, and how often the vendor was called.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { cases, recorded, rejection } from './harness.mjs';
import { call, upstreamCalls } from './media.mjs';

function classOf(status) {
  const classes = { 400: OpenAI.BadRequestError, 404: OpenAI.NotFoundError, 429: OpenAI.RateLimitError };
  return status >= 500 ? OpenAI.InternalServerError : classes[status] ?? OpenAI.APIError;
}

// What must never reach a client: addresses, credentials and the words of foreign software.
const secrets = /127\.0\.0\.1|sk-sim|simulat|s3cr3t|nginx|request id|trace_id|https?:|\.go:/i;

for (const c of cases('media_errors')) {
  test(`error: ${c.name}`, async () => {
    const { calls, client: openai } = recorded({ key: c.key, maxRetries: 1 });
    const before = await upstreamCalls(c.body.model);
    const error = await rejection(call(openai, c.path, c.body));
    assert.equal(error.constructor, classOf(c.status), error.stack);
    assert.deepEqual([error.status, error.type, error.code, error.param], [c.status, c.type, c.code, c.param], error.message);
    assert.match(error.requestID, /^req_/);
    if (c.message) assert.equal(error.error.message, c.message);
    if (c.says) assert.ok(error.error.message.includes(c.says), error.error.message);
    assert.doesNotMatch(error.message, secrets);

    assert.deepEqual(calls.map((x) => x.retry), c.retried ? ['0', '1'] : ['0']);
    assert.equal(error.headers.get('retry-after'), c.retryAfter ? String(c.retryAfter) : null);
    assert.equal(error.headers.get('x-should-retry'), c.status >= 500 && !c.retried ? 'false' : null);
    if ('calls' in c) assert.equal(await upstreamCalls(c.body.model) - before, c.calls, 'calls of the vendor');
  });
}

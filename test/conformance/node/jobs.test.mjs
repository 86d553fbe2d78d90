// Videos and music: jobs from submit to file, by the SDK's generic methods and by plain HTTP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { baseURL, cases, client, rejection } from './harness.mjs';
import { addressOf, assertOpens, download, endOf, http, kindOfType, statesOf, upstreamCalls } from './media.mjs';

const openai = client();
const submit = (c, options) => openai.post(c.path, { body: c.body, ...options });
const slow = { path: '/videos/generations', body: { model: 'seedance-2', prompt: 'a cat [[fail task_slow]]' } };

function assertQueued(job, c) {
  assert.equal(job.status, 'queued');
  assert.equal(job.id, job.job_id);
  assert.equal(job.object, c.object);
  assert.equal(job.model, c.body.model);
  assert.equal(job.poll_url, `/v1/${c.path.split('/')[1]}/jobs/${job.id}`);
  assert.ok(Math.abs(job.created_at - Date.now() / 1000) < 60);
}

// The files of a job that is done: those that were asked for, and other forms of them.
async function assertDone(job, c) {
  assert.equal(job.status, 'completed', JSON.stringify(job.error));
  assert.ok(!('error' in job));
  const { url, urls, files } = job.result;
  assert.equal(url, urls[0]);
  assert.deepEqual(urls, files.filter((f) => !f.variant).map((f) => f.url));
  assert.deepEqual(files.filter((f) => !f.variant).map((f) => f.content_type), c.files);
  for (const [variant, type] of Object.entries(c.variants ?? {})) {
    const found = files.filter((f) => f.variant === variant);
    assert.deepEqual(found.map((f) => f.content_type), c.files.map(() => type), variant);
  }
  for (const f of files) assertOpens((await download(f.url)).bytes, kindOfType(f.content_type), f.url);
}

for (const c of cases('jobs')) {
  test(`${c.name}: by the SDK's generic methods`, async () => {
    const { data: job, response } = await submit(c).withResponse();
    assert.equal(response.headers.get('x-should-retry'), 'false');
    assertQueued(job, c);
    const states = await statesOf(openai, job);
    for (const s of states) assert.deepEqual([s.id, s.model, s.created_at, s.poll_url], [job.id, job.model, job.created_at, job.poll_url]);
    await assertDone(states.at(-1), c);
    for (const word of c.warnings ?? []) assert.ok(states.at(-1).warnings.some((w) => w.includes(word)), word);
  });

  test(`${c.name}: by plain HTTP`, async () => {
    const job = await (await http('POST', `/v1${c.path}`, { body: c.body })).json();
    assertQueued(job, c);
    let state = job;
    while (!['completed', 'failed'].includes(state.status)) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      state = await (await http('GET', state.poll_url)).json();
    }
    await assertDone(state, c);
  });

  if (!c.cancel) continue;
  test(`${c.name}: cancelling`, async () => {
    const job = await submit({ ...c, body: { ...c.body, prompt: `${c.body.prompt} [[fail task_slow]]` } });
    if (c.cancel === 'cancelled') {
      assert.equal((await openai.delete(addressOf(job))).status, 'cancelled');
      assert.equal((await endOf(openai, job)).status, 'cancelled');
    } else {
      const error = await rejection(openai.delete(addressOf(job)));
      assert.ok(error instanceof OpenAI.BadRequestError, error.stack);
      assert.equal(error.code, c.cancel);
    }
  });
}

for (const c of cases('job_ends')) {
  test(`${c.name} is a poll that succeeds`, async () => {
    const job = await endOf(openai, await submit(c));
    assert.equal(job.status, c.status);
    assert.ok(!('result' in job));
    if (c.code) assert.equal(job.error.code, c.code);
    assert.ok(job.error.message.length > 10);
  });
}

test('a job is queued, then in progress, and cannot be cancelled any more', async () => {
  const job = await submit({ ...slow, body: { ...slow.body, prompt: 'a cat [[fail task_stuck]]' } });
  const seen = [];
  while (seen.at(-1) !== 'in_progress') {
    assert.ok(seen.length < 50);
    seen.push((await openai.get(addressOf(job))).status);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.equal(seen[0], 'queued');
  assert.equal((await openai.delete(addressOf(job))).status, 'in_progress');
});

test('an id that is not the own one is not found, whatever is wrong with it', async () => {
  const job = await submit(slow);
  const bodies = new Set();
  for (const [id, key, kind] of [
    [job.id, 'narrow', 'videos'], [job.id, 'main', 'music'], [`${job.id.slice(0, -4)}AAAA`, 'main', 'videos'], [job.id.slice(0, 60), 'main', 'videos'],
    ['nonsense', 'main', 'videos'], [job.id.toLowerCase(), 'main', 'videos'],
  ]) {
    for (const method of kind === 'videos' ? ['get', 'delete'] : ['get']) {
      const error = await rejection(client({ key })[method](`/${kind}/jobs/${id}`));
      assert.ok(error instanceof OpenAI.NotFoundError, error.stack);
      assert.deepEqual([error.type, error.code, error.param], ['not_found_error', 'job_not_found', null]);
      bodies.add(error.error.message);
    }
  }
  assert.equal(bodies.size, 1, 'one and the same answer');
  assert.equal((await openai.get(`/videos/jobs/${job.id}`)).status, 'queued', 'below the base URL, too');
  await openai.delete(addressOf(job));
});

test('an Idempotency-Key makes one job of two submits', async () => {
  const once = { headers: { 'Idempotency-Key': `node-${Date.now()}` } };
  const before = await upstreamCalls('seedance-2');
  const first = await submit(slow, once).withResponse();
  const second = await submit(slow, once).withResponse();
  assert.equal(second.data.id, first.data.id);
  assert.deepEqual([first, second].map((x) => x.response.headers.get('idempotent-replayed')), [null, 'true']);
  assert.equal(await upstreamCalls('seedance-2') - before, 1);
  const other = await rejection(submit({ ...slow, body: { ...slow.body, prompt: 'a dog' } }, once));
  assert.ok(other instanceof OpenAI.BadRequestError, other.stack);
  assert.equal(other.code, 'idempotency_key_reused');
  assert.notEqual((await submit(slow)).id, first.data.id, 'without the key it is another job');
});

test('an Idempotency-Key keeps even a lost answer from becoming a second video', async () => {
  const once = { headers: { 'Idempotency-Key': `node-lost-${Date.now()}` } };
  const before = await upstreamCalls('seedance-2');
  for (let i = 0; i < 2; i++) {
    const error = await rejection(submit({ ...slow, body: { ...slow.body, prompt: 'a cat [[fail lost]]' } }, once));
    assert.equal(error.headers.get('x-should-retry'), 'false');
  }
  assert.equal(await upstreamCalls('seedance-2') - before, 1);
  const long = await rejection(submit(slow, { headers: { 'Idempotency-Key': 'k'.repeat(256) } }));
  assert.equal(long.code, 'invalid_idempotency_key');
});

test('a result through the gateway needs the key, and comes in parts, too', async () => {
  const job = await endOf(openai, await openai.post('/videos/generations', { body: { model: 'conformance/proxied-video', prompt: 'a cat' } }));
  const { url } = job.result;
  assert.equal(url, `/v1/videos/jobs/${job.id}/content?file=0`);
  const whole = await openai.get(new URL(url, baseURL).href, { __binaryResponse: true });
  assert.equal(whole.headers.get('content-type'), 'video/mp4');
  const bytes = Buffer.from(await whole.arrayBuffer());
  assertOpens(bytes, 'mp4');
  const part = await http('GET', url, { headers: { range: 'bytes=4-7' } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), 'ftyp');
  for (const [refused, code] of [[await fetch(new URL(url, baseURL)), 'invalid_api_key'], [await http('GET', url, { key: 'narrow' }), 'job_not_found']]) {
    assert.equal((await refused.json()).error.code, code);
  }
});

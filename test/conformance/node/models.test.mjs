// The lists of models, and paths and methods beside the SDK's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, client, collect, general, keys, origin } from './harness.mjs';

const openai = client();

test('models.list shows what the key can use, in four members', async () => {
  const models = await collect(openai.models.list());
  const ids = models.map((m) => m.id);
  for (const id of [general, 'conformance/granted', 'conformance/private', 'deepseek-v4-pro']) assert.ok(ids.includes(id), id);
  for (const id of ['conformance/preview', 'conformance/soon', 'conformance-alias']) assert.ok(!ids.includes(id), id);
  for (const m of models) {
    assert.deepEqual(Object.keys(m).sort(), ['created', 'id', 'object', 'owned_by']);
    assert.equal(m.object, 'model');
    assert.ok(Number.isInteger(m.created));
  }
});

test('models.list of a narrower key', async () => {
  const ids = (await collect(client({ key: 'narrow' }).models.list())).map((m) => m.id);
  assert.ok(ids.includes('deepseek-v4-pro'));
  assert.ok(ids.every((id) => id.startsWith('deepseek-')), ids.join());
});

test('models.list with detail keeps the extra members', async () => {
  const models = await collect(openai.models.list({ query: { detail: 1 } }));
  const m = models.find((x) => x.id === general);
  assert.equal(m.label, 'General');
  assert.equal(m.org, 'Conformance');
  assert.equal(m.owned_by, 'Conformance');
  assert.equal(m.ctx, 4000000);
  assert.deepEqual(m.tags, ['test', 'tools']);
  assert.equal(m.pricing.currency, 'USD');
  assert.ok(Object.values(m.pricing).includes('0.5'), 'prices are decimal strings');
});

test('models.retrieve of a name with a slash and a colon', async () => {
  const m = await openai.models.retrieve(general);
  assert.equal(m.id, general);
  assert.equal(m.object, 'model');
  assert.match(m._request_id, /^req_/);
});

for (const id of ['gpt-4', 'conformance/preview', 'conformance/soon']) {
  test(`models.retrieve of ${id} is refused`, async () => {
    await assert.rejects(openai.models.retrieve(id), { status: 404, code: 'unknown_model' });
  });
}

test('the catalog shows all public models to everybody', async () => {
  const response = await fetch(`${origin}/v1/catalog`);
  const { data } = await response.json();
  const by = Object.fromEntries(data.map((m) => [m.id, m.availability]));
  assert.equal(by[general], 'live');
  assert.equal(by['conformance/preview'], 'preview');
  assert.equal(by['conformance/soon'], 'soon');
  assert.ok(!('conformance/private' in by));

  const again = await fetch(`${origin}/v1/catalog`, { headers: { 'if-none-match': response.headers.get('etag') }, cache: 'no-store' });
  assert.equal(again.status, 304);
  assert.equal(await again.text(), '');
});

for (const c of cases('http')) {
  test(`HTTP: ${c.name}`, async () => {
    const headers = { ...c.send };
    if (headers.authorization) headers.authorization = keys[headers.authorization];
    else if (c.key !== null) headers.authorization = `Bearer ${keys[c.key ?? 'main']}`;
    const body = c.method === 'POST' ? c.body : undefined;
    const response = await fetch(origin + c.path, { method: c.method, headers, body, redirect: 'manual' });
    assert.equal(response.status, c.status);
    assert.match(response.headers.get('x-request-id'), /^req_/);
    for (const [name, value] of Object.entries(c.headers ?? {})) assert.equal(response.headers.get(name), value, name);
    const text = await response.text(); // to its end: an answer that is left lying keeps the process from ending
    if (!c.type) return;
    const { error } = JSON.parse(text);
    assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
    assert.equal(error.type, c.type);
    assert.equal(error.code, c.code);
  });
}

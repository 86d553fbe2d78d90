// The examples of the API reference, as they stand there: only the address and the key are filled in.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { baseURL, keys, origin, readText } from './harness.mjs';

const run = promisify(execFile);

const example = (name) => readText(`examples/${name}`)
  .replaceAll('https://api.vipcloud.ai/v1', baseURL)
  .replaceAll('vc-sk-...', keys.environment);

const headers = { authorization: `Bearer ${keys.environment}`, 'content-type': 'application/json' };
const ask = (body) => fetch(`${baseURL}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
const hello = { model: 'deepseek-v4-pro', messages: [{ role: 'user', content: 'Hello!' }] };

const hasCurl = await run('curl', ['--version']).then(() => true, () => false);
const curl = { skip: hasCurl ? false : 'curl is not installed' };

// Every member of the documented value is there, with the same type.
function assertShape(got, documented, path = '$') {
  assert.equal(typeof got, typeof documented, `${path}: ${JSON.stringify(got)}`);
  if (Array.isArray(documented)) {
    assert.ok(Array.isArray(got) && got.length > 0, path);
    assertShape(got[0], documented[0], `${path}[0]`);
  } else if (documented !== null && typeof documented === 'object') {
    for (const name of Object.keys(documented)) assertShape(got[name], documented[name], `${path}.${name}`);
  }
}

test('the quickstart for Node', async () => {
  const dir = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'example-'));
  try {
    const file = join(dir, 'quickstart.mjs');
    writeFileSync(file, example('quickstart.mjs'));
    const { stdout } = await run(process.execPath, [file]);
    assert.equal(stdout, 'Hello! 你好，世界 🌏\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the quickstart for curl', curl, async () => {
  const { stdout } = await run('bash', ['-c', example('quickstart.sh')]);
  assert.equal(JSON.parse(stdout).choices[0].message.content, 'Hello! 你好，世界 🌏');
});

test('the catalog by curl', curl, async () => {
  const { stdout } = await run('bash', ['-c', example('catalog.sh')]);
  assert.ok(JSON.parse(stdout).data.some((m) => m.id === 'deepseek-v4-pro'));
});

test('the response', async () => {
  const documented = JSON.parse(example('response.json'));
  const got = await (await ask(hello)).json();
  assertShape(got, documented);
  assert.equal(got.object, documented.object);
  assert.equal(got.model, documented.model);
  assert.equal(got.choices[0].index, 0);
  assert.equal(got.choices[0].message.role, 'assistant');
  assert.equal(got.choices[0].finish_reason, 'stop');
  assert.equal(got.usage.total_tokens, got.usage.prompt_tokens + got.usage.completion_tokens);
});

test('the stream', async () => {
  const documented = JSON.parse(example('stream.txt').split('\n')[0].slice('data: '.length));
  const response = await ask({ ...hello, stream: true });
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  assert.equal(response.headers.get('content-encoding'), null, 'a compressed stream would be held back');
  assert.notEqual(response.headers.get('connection'), 'close', 'a cut would look like a clean end');
  const lines = (await response.text()).split('\n\n');
  assert.equal(lines.pop(), '', 'the last event ends with an empty line');
  assert.equal(lines.pop(), 'data: [DONE]');
  let text = '';
  for (const line of lines.filter((l) => !l.startsWith(':'))) {
    assert.match(line, /^data: \{.*\}$/, 'one data line and nothing else');
    const { delta } = JSON.parse(line.slice('data: '.length)).choices[0];
    if (delta.content) assertShape({ choices: [{ delta }] }, documented);
    text += delta.content ?? '';
  }
  assert.equal(text, 'Hello! 你好，世界 🌏');
});

test('the error', async () => {
  const documented = JSON.parse(example('error.json'));
  const response = await ask({ ...hello, model: 'gpt-4' });
  assert.equal(response.status, 404);
  const { error } = await response.json();
  for (const [name, value] of Object.entries(documented.error)) assert.equal(error[name], value, name);
});

test('the list of models, plain and with detail', async () => {
  for (const [path, members] of [
    ['/models', ['created', 'id', 'object', 'owned_by']],
    ['/models?detail=1', ['ctx', 'label', 'org', 'pricing', 'tags']],
  ]) {
    const { object, data } = await (await fetch(`${baseURL}${path}`, { headers })).json();
    assert.equal(object, 'list');
    const model = data.find((m) => m.id === 'deepseek-v4-pro');
    for (const name of members) assert.ok(name in model, `${path}: ${name}`);
  }
});

test('the catalog needs no key and is cached for 60 s', async () => {
  const response = await fetch(`${origin}/v1/catalog`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'public, max-age=60');
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.equal((await response.json()).object, 'list');
});

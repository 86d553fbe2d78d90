// What the suites share: the addresses they are given, clients, the cases that all languages run, and what went over the wire.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run test/conformance/run.sh`);
  return value;
}

export const baseURL = required('OPENAI_BASE_URL');
export const origin = new URL(baseURL).origin;
export const admin = required('CONFORMANCE_ADMIN_URL');

export const readText = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
export const cases = (name) => JSON.parse(readText(`cases/${name}.json`));

// The key of the environment is the quickstart's, which may use all models.
export const keys = { ...cases('keys'), environment: required('OPENAI_API_KEY') };

export const general = 'conformance/general:v1';
export const deepseek = 'deepseek-v4-pro';

export const user = (content) => [{ role: 'user', content }];

// A client that repeats nothing, unless asked to.
export function client({ key = 'main', ...options } = {}) {
  return new OpenAI({ baseURL, apiKey: keys[key], maxRetries: 0, ...options });
}

// A client, and a list of the requests that it really made. change may replace the body of the n-th one.
export function recorded({ change, ...options } = {}) {
  const calls = [];
  const fetch = (url, init) => {
    calls.push({ url: String(url), at: performance.now(), retry: new Headers(init.headers).get('x-stainless-retry-count') });
    const body = change ? change(init.body, calls.length) : init.body;
    return globalThis.fetch(url, { ...init, body });
  };
  return { calls, client: client({ fetch, ...options }) };
}

// The body of a case: its own, or a prompt to a model.
export function bodyOf(c, stream) {
  const body = c.body ?? { model: c.model ?? general, messages: user(c.prompt) };
  return { ...body, ...c.extra, ...(stream ? { stream: true } : {}) };
}

export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

export const textOf = (chunks) => chunks.map((c) => c.choices[0]?.delta?.content ?? '').join('');

// The error that a call is rejected with; that there is one is asserted.
export async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

export async function metric(name) {
  const page = await (await fetch(`${admin}/metrics`)).text();
  const line = page.split('\n').find((l) => l.startsWith(`${name} `));
  assert.ok(line, `no metric ${name}`);
  return Number(line.slice(name.length + 1));
}

export async function eventually(what, condition, limit = 5000) {
  const end = performance.now() + limit;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `${what}: not within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Nothing is being served any more, so nothing that a client left behind goes on.
export const idle = () => eventually('no request in flight', async () =>
  (await metric('vipcloud_requests_in_flight')) === 0 && (await metric('vipcloud_streams_in_flight')) === 0);

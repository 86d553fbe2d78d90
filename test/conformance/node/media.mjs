// What the suites of images, speech, videos and music share.
import assert from 'node:assert/strict';
import { admin, baseURL, eventually, keys } from './harness.mjs';

// Calls what the SDK has for a path: a method, or its generic post.
export function call(openai, path, body, options) {
  switch (path) {
    case '/images/generations': return openai.images.generate(body, options);
    case '/audio/speech': return openai.audio.speech.create(body, options);
    default: return openai.post(path, { body, ...options });
  }
}

// What a file is, by its first bytes; pcm is everything else.
export function kindOf(bytes) {
  const head = Buffer.from(bytes).subarray(0, 12).toString('latin1');
  const begins = {
    jpeg: '\xff\xd8\xff', png: '\x89PNG\r\n\x1a\n', flac: 'fLaC', wav: 'RIFF', mp3: '\xff\xfb',
  };
  if (head.slice(4, 8) === 'ftyp') return 'mp4';
  return Object.keys(begins).find((kind) => head.startsWith(begins[kind])) ?? 'pcm';
}

export const kindOfType = (type) => ({ 'video/mp4': 'mp4', 'audio/mpeg': 'mp3', 'audio/flac': 'flac' })[type];

// A file opens: it is of that kind, and whole as far as its kind tells.
export function assertOpens(bytes, kind, what = kind) {
  const data = Buffer.from(bytes);
  assert.ok(data.length > 0, `${what}: empty`);
  assert.equal(kindOf(data), kind, what);
  const end = { jpeg: '\xff\xd9', png: 'IEND\xaeB`\x82' }[kind];
  if (end) assert.ok(data.subarray(-end.length).toString('latin1') === end, `${what} is cut off`);
  if (kind === 'wav') assert.equal(data.subarray(8, 16).toString('latin1'), 'WAVEfmt ', what);
  if (kind === 'mp4') assert.equal(boxes(data).join(), 'ftyp,moov,mdat', what);
  if (kind === 'mp3') {
    for (let at = 0; at < data.length; at += 576) assert.equal(data.readUInt16BE(at), 0xfffb, `${what}: frame at ${at}`);
  }
}

// The boxes of an MP4 file, which must fill it.
function boxes(data) {
  const kinds = [];
  let at = 0;
  for (; at < data.length; at += data.readUInt32BE(at)) kinds.push(data.subarray(at + 4, at + 8).toString('latin1'));
  assert.equal(at, data.length, 'the last box is cut off');
  return kinds;
}

// Gets a result from where it is, as anybody would who has the address.
export async function download(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return { bytes: Buffer.from(await response.arrayBuffer()), type: response.headers.get('content-type') };
}

// How often the gateway has called upstreams for a model, requests apart that a vendor cannot take: most of those end in the gateway.
export async function upstreamCalls(model) {
  const page = await (await fetch(`${admin}/metrics`)).text();
  return page.split('\n')
    .filter((line) => line.startsWith('vipcloud_upstream_attempts_total{') && line.includes(`gen_ai_request_model="${model}"`))
    .filter((line) => !line.includes('outcome="invalid_request"'))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

// The address of a job: poll_url is relative to the gateway, so it is resolved as any link is.
export const addressOf = (job) => new URL(job.poll_url, baseURL).href;

// Polls a job by the SDK's generic get until it has ended; returns all states in their order.
export async function statesOf(openai, job, limit = 20_000) {
  const states = [];
  await eventually(`the end of ${job.object}`, async () => {
    const { data, response } = await openai.get(addressOf(job)).withResponse();
    states.push(data);
    const ended = ['completed', 'failed', 'cancelled'].includes(data.status);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const pause = response.headers.get('retry-after');
    if (ended) assert.equal(pause, null);
    else assert.equal(response.headers.get('openai-poll-after-ms'), String(1000 * Number(pause)));
    if (!ended) await new Promise((resolve) => setTimeout(resolve, 200));
    return ended;
  }, limit);
  return states;
}

export const endOf = async (openai, job) => (await statesOf(openai, job)).at(-1);

// Plain HTTP with a key.
export function http(method, path, { key = 'main', body, headers } = {}) {
  const all = { authorization: `Bearer ${keys[key]}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers };
  return fetch(new URL(path, baseURL), { method, headers: all, body: body && JSON.stringify(body) });
}

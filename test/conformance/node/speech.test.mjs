// Speech: files that open, streams, events, voices.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cases, client, idle, rejection } from './harness.mjs';
import { assertOpens, http } from './media.mjs';

const openai = client();
const input = 'Welcome to vipcloud.';
const create = (body, options) => openai.audio.speech.create(body, options);
const spoken = { model: 'minimax-speech-02', voice: 'warm-female-en', response_format: 'mp3' };

// What is said of the length of a file without a header.
function assertLength(bytes, c) {
  if (c.bytesPerCharacter) assert.equal(bytes.length, input.length * c.bytesPerCharacter, '24 kHz, 16 bit, mono');
}

for (const c of cases('speech')) {
  const wanted = { model: c.model, voice: c.voice, input, response_format: c.format };

  test(`${c.name}: a file that opens`, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'speech-'));
    try {
      const response = await create(wanted);
      assert.equal(response.headers.get('content-type'), c.type);
      assert.match(response.headers.get('x-request-id'), /^req_/);
      const file = join(dir, `speech.${c.format}`);
      await writeFile(file, Buffer.from(await response.arrayBuffer()));
      assertOpens(readFileSync(file), c.kind);
      assertLength(readFileSync(file), c);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test(`${c.name}: piece by piece`, async () => {
    const response = await create(wanted);
    const pieces = [];
    for await (const piece of response.body) pieces.push(piece);
    assertOpens(Buffer.concat(pieces), c.kind);
    assertLength(Buffer.concat(pieces), c);
  });

  test(`${c.name}: events`, async () => {
    const response = await http('POST', '/v1/audio/speech', { body: { ...wanted, stream_format: 'sse' } });
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    const lines = (await response.text()).split('\n\n');
    assert.equal(lines.pop(), '', 'the last event ends with an empty line');
    const events = lines.filter((l) => !l.startsWith(':')).map((l) => JSON.parse(l.slice('data: '.length)));
    const done = events.pop();
    assert.equal(done.type, 'speech.audio.done');
    for (const name of ['input_tokens', 'output_tokens', 'total_tokens']) assert.ok(Number.isInteger(done.usage[name]), name);
    assert.deepEqual([...new Set(events.map((e) => e.type))], ['speech.audio.delta']);
    const audio = Buffer.concat(events.map((e) => Buffer.from(e.audio, 'base64')));
    assertOpens(audio, c.kind);
    assertLength(audio, c);
  });
}

test('mp3 is what one gets who names no format', async () => {
  const response = await create({ ...spoken, input, response_format: undefined });
  assert.equal(response.headers.get('content-type'), 'audio/mpeg');
  assertOpens(Buffer.from(await response.arrayBuffer()), 'mp3');
});

test('a voice as an object', async () => {
  assertOpens(Buffer.from(await (await create({ ...spoken, input, voice: { id: 'warm-female-en' } })).arrayBuffer()), 'mp3');
});

for (const model of ['minimax-speech-02', 'doubao-tts', 'glm-tts']) {
  test(`the voices of ${model} are listed, and each of them speaks`, async () => {
    const { voices, modality } = await openai.models.retrieve(model, { query: { detail: 1 } });
    assert.equal(modality, 'speech');
    assert.ok(voices.length > 0);
    for (const { id } of voices) {
      const response = await create({ model, voice: id, input, response_format: 'pcm' });
      assert.ok((await response.arrayBuffer()).byteLength > 0, id);
    }
  });
}

test('20 MB of speech come whole, and begin to come long before the end', async () => {
  const size = 20 << 20;
  const began = performance.now();
  const response = await create({ ...spoken, input: `[[bytes ${size}]]` });
  let got = 0;
  let first;
  for await (const piece of response.body) {
    first ??= performance.now() - began;
    got += piece.length;
  }
  assert.ok(got > size - 576 && got <= size, `${got} bytes`);
  assert.ok(first < (performance.now() - began) / 2, `the first byte came after ${first} ms`);
});

test('leaving speech in the middle ends it everywhere', async () => {
  const response = await create({ ...spoken, input: '[[bytes 500000000]]' });
  for await (const piece of response.body) {
    assert.ok(piece.length > 0);
    break;
  }
  await idle();
});

test('speech that breaks off never looks whole', async () => {
  const response = await create({ ...spoken, input: `${input.repeat(50)} [[fail mid_stream]]` });
  const error = await rejection(response.arrayBuffer());
  assert.ok(error instanceof TypeError, error.stack);
  await idle();
});

test('speech that breaks off as events says why', async () => {
  const response = await http('POST', '/v1/audio/speech', {
    body: { ...spoken, input: `${input.repeat(50)} [[fail mid_stream]]`, stream_format: 'sse' },
  });
  const last = (await response.text()).trimEnd().split('\n\n').pop();
  assert.equal(JSON.parse(last.slice('data: '.length)).error.type, 'upstream_error');
});

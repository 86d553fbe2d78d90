// The examples of images, video, speech and music of the API reference: their parameters as they stand there, by the SDK's method
// where it has one, and by plain HTTP where it has none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, readText } from './harness.mjs';
import { assertOpens, download, endOf, http } from './media.mjs';

const openai = client({ key: 'environment' });

// The call of an example, which is written in Python: the method, and its named arguments.
function example(name) {
  const text = readText(`examples/${name}.py`);
  const parameters = [...text.matchAll(/^ {4}(\w+)=(.+),$/gm)].map(([, key, value]) => [key, JSON.parse(value)]);
  return { method: text.slice('client.'.length, text.indexOf('(')), parameters: Object.fromEntries(parameters) };
}

test('the image', async () => {
  const { method, parameters } = example('image');
  assert.equal(method, 'images.generate');
  assert.deepEqual(Object.keys(parameters), ['model', 'prompt', 'size', 'n']);
  const { data } = await openai.images.generate(parameters);
  assert.equal(data.length, 1);
  assertOpens((await download(data[0].url)).bytes, 'png');
});

test('the voice', async () => {
  const { method, parameters } = example('speech');
  assert.equal(method, 'audio.speech.create');
  assert.deepEqual(Object.keys(parameters), ['model', 'voice', 'input', 'response_format']);
  const response = await openai.audio.speech.create(parameters);
  assertOpens(Buffer.from(await response.arrayBuffer()), 'mp3');
});

for (const [name, path, kind, given] of [
  ['video', '/v1/videos/generations', 'mp4', ['model', 'prompt', 'duration', 'resolution']],
  ['music', '/v1/music/generations', 'mp3', ['model', 'prompt', 'lyrics', 'duration']],
]) {
  test(`the ${name}`, async () => {
    const { parameters } = example(name);
    assert.deepEqual(Object.keys(parameters), given);
    const job = await (await http('POST', path, { key: 'environment', body: parameters })).json();
    for (const member of ['id', 'job_id', 'poll_url']) assert.equal(typeof job[member], 'string', member);
    assert.equal(job.status, 'queued');
    const done = await endOf(openai, job);
    assert.equal(done.status, 'completed');
    assertOpens((await download(done.result.url)).bytes, kind);
  });
}

test('an older name still resolves', async () => {
  const { data } = await openai.images.generate({ ...example('image').parameters, model: 'seedream-3' });
  assert.equal(data.length, 1);
});

test('every model that the page names is in the catalog, with its modality', async () => {
  const { data } = await (await http('GET', '/v1/catalog')).json();
  const got = Object.fromEntries(data.map((m) => [m.id, `${m.modality} ${m.availability}`]));
  const want = {
    'wan-2.7': 'image live', 'seedream-4.5': 'image live', 'hunyuan-image': 'image live',
    'seedance-2': 'video live', 'hailuo-02': 'video live', 'kling-3': 'video live', 'vidu-q3': 'video live', 'hunyuan-video-1.5': 'video soon',
    'minimax-speech-02': 'speech live', 'doubao-tts': 'speech live', 'glm-4-voice': 'speech soon', 'mureka-o1': 'music live',
  };
  for (const [model, what] of Object.entries(want)) assert.equal(got[model], what, model);
});

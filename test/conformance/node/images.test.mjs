// Images that are made: addresses, bytes and events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cases, client, collect } from './harness.mjs';
import { assertOpens, download, http } from './media.mjs';

const openai = client();
const generate = (body) => openai.images.generate(body);
const prompt = 'a snow leopard in a Tang dynasty courtyard';

for (const c of cases('images')) {
  const wanted = { model: c.model, prompt, size: c.size };

  test(`${c.name}: two images by address`, async () => {
    const { data: images, response, request_id } = await generate({ ...wanted, n: 2, response_format: 'url' }).withResponse();
    assert.ok(Math.abs(images.created - Date.now() / 1000) < 60);
    assert.equal(images.data.length, 2);
    assert.ok(!('errors' in images));
    assert.match(request_id, /^req_/);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(new Set(images.data.map((d) => d.url)).size, 2);
    for (const d of images.data) {
      assert.ok(!('b64_json' in d));
      if (c.made) assert.equal(d.size, c.made);
      const file = await download(d.url);
      assert.equal(file.type, `image/${c.kind}`);
      assertOpens(file.bytes, c.kind);
    }
  });

  test(`${c.name}: two images as bytes`, async () => {
    const images = await generate({ ...wanted, n: 2, response_format: 'b64_json' });
    assert.equal(images.data.length, 2);
    for (const d of images.data) {
      assert.ok(!('url' in d));
      assertOpens(Buffer.from(d.b64_json, 'base64'), c.kind);
    }
  });

  test(`${c.name}: nothing said but the prompt gives one image by address`, async () => {
    const images = await generate({ model: c.model, prompt });
    assert.equal(images.data.length, 1);
    assertOpens((await download(images.data[0].url)).bytes, c.kind);
  });

  test(`${c.name}: events`, async () => {
    const events = await collect(await generate({ ...wanted, n: 2, stream: true, partial_images: 2 }));
    assert.deepEqual(events.map((e) => e.type), ['image_generation.completed', 'image_generation.completed']);
    for (const e of events) {
      assert.equal(e.output_format, c.kind);
      assert.ok(Number.isInteger(e.created_at));
      assertOpens(Buffer.from(e.b64_json, 'base64'), c.kind);
    }
  });
}

test('events on the wire', async () => {
  const response = await http('POST', '/v1/images/generations', { body: { model: 'seedream-4.5', prompt, stream: true } });
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  const [event, rest] = (await response.text()).split('\n\n');
  assert.match(event, /^event: image_generation\.completed\ndata: \{"type":"image_generation\.completed",.*\}$/);
  assert.equal(rest, '', 'one event for one image, and nothing behind it');
});

test('a failure before the first event is an HTTP error', async () => {
  await assert.rejects(generate({ model: 'seedream-4.5', prompt: '[[fail moderation]]', stream: true }), { status: 400, code: 'content_filter' });
});

test("OpenAI's hints are taken and change nothing", async () => {
  const images = await generate({
    model: 'seedream-4.5', prompt, n: 1, size: 'auto', quality: 'hd', style: 'vivid', background: 'auto', moderation: 'low', user: 'ann',
  });
  assert.equal(images.data.length, 1);
});

test('what could not be made stands beside what was', async () => {
  const { data, errors } = await generate({ model: 'wan-2.7', prompt: `${prompt} [[fail partial]]`, n: 3 });
  assert.equal(data.length, 2);
  for (const d of data) assertOpens((await download(d.url)).bytes, 'png');
  assert.equal(errors.length, 1);
  assert.equal(errors[0].index, 2);
  assert.ok(errors[0].code && errors[0].message);
});

test('20 images at once are 20 images', async () => {
  const images = await Promise.all(Array.from({ length: 20 }, async (_, i) =>
    (await generate({ model: 'seedream-4.5', prompt: `${prompt} ${i}`, response_format: i % 2 ? 'url' : 'b64_json' })).data[0]));
  assert.equal(new Set(images.filter((d) => d.url).map((d) => d.url)).size, 10);
  for (const d of images.filter((x) => x.b64_json)) assertOpens(Buffer.from(d.b64_json, 'base64'), 'jpeg');
});

// The explorer: a code led about by hand on a map and by sliders, its image always the one that /decode gives; also while the net learns,
// back through its checkpoints, from a picture of one's own, between two codes, and of a model that has no encoder.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { cancel, daemon, finished, LONG, LOST, open, page, seriousViolations, session } from './session.mjs';

let model;
let gan;
session({
  prepare: async () => {
    const kinds = (await daemon.api('v1/kinds')).data;
    const noEncoder = kinds.find(({ abilities }) => abilities.includes('decode') && !abilities.includes('encode')).kind;
    [model, gan] = await Promise.all([
      daemon.api('v1/jobs', { kind: 'ae', name: 'walked', params: { train_limit: 2000, epochs: 3, latent_dim: 4,
        preview_every_epochs: 0 } }),
      daemon.api('v1/jobs', { kind: noEncoder, name: 'painter', params: { train_limit: 200, epochs: 1, latent_dim: 40, preview_every_epochs: 0,
        judge_samples: 0, channels: [8, 8, 8], discriminator_channels: [8, 8, 8] } }),
    ]);
    [model, gan] = await Promise.all([finished(model.id), finished(gan.id)]);
  },
});

const image = () => page.getByRole('img', { name: /^Decoded image/ });
const pad = () => page.getByRole('application', { name: 'Map of the codes' });
const data = async (name) => image().getAttribute(`data-${name}`);
const shown = async () => Number(await data('shown'));
const code = async () => (await data('z')).split(',').map(Number);
const points = async () => Number(await pad().getAttribute('data-points'));
const mark = (text) => page.locator('.explore-mark', { hasText: text });

/** The image and what it is of, at one moment. */
const seen = () => image().evaluate((canvas) => {
  // Reading the page's own again and again would earn it a warning.
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
  copy.drawImage(canvas, 0, 0);
  return { z: canvas.dataset.z.split(',').map(Number), step: Number(canvas.dataset.step),
    pixels: [...copy.getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 === 0) };
});

/** What the daemon decodes of the code that is shown is what is shown, each pixel. */
async function sameAsDecoded(ref) {
  const { z, pixels } = await seen();
  const { images } = await daemon.api(`v1/models/${ref}/decode`, { z: [z] });
  assert.deepEqual(pixels, images[0].flat(2).map((v) => Math.floor(Math.min(1, Math.max(0, v)) * 255 + 0.5)));
  return z;
}

async function ready(address, options) {
  await open(address, options);
  await waitFor('an image', async () => (await shown()) > 0, 20000);
}
/** The hand rests, and its code is what is seen: the address follows once it does. */
const settled = () => waitFor('rest', async () => {
  const z = new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('z');
  const now = await code();
  return z?.split(',').every((x, i) => Math.abs(Number(x) - now[i]) <= 1e-5 * Math.max(1, Math.abs(now[i])));
}, 30000);

async function place(x, y) {
  const box = await pad().boundingBox();
  return [box.x + x * box.width, box.y + y * box.height];
}

test('a drag on the map leads the code about, the image follows, and its pixels are those of /decode', async () => {
  await ready(`#/explore/${model.id}`);
  await waitFor('all test images on the map', async () => (await points()) > 9900, 30000);
  const first = await code();
  const { z: [start] } = await daemon.api(`v1/models/${model.id}/encode`, { dataset: 'fashion-mnist', split: 'test', indices: [0] });
  assert.deepEqual(first, start, 'it begins at a test image');
  await page.mouse.move(...await place(0.3, 0.3));
  await page.mouse.down();
  const before = await shown();
  await page.mouse.move(...await place(0.6, 0.45), { steps: 10 });
  await waitFor('images on the way', async () => (await shown()) > before + 2);
  await page.mouse.up();
  await settled();
  const dragged = await sameAsDecoded(model.id);
  assert.notDeepEqual(dragged, first);
  const sliders = page.getByRole('slider', { name: /^Latent unit/ });
  assert.deepEqual((await sliders.evaluateAll((all) => all.map((s) => Number(s.value)))).map((x) => x.toFixed(2)),
    dragged.map((x) => x.toFixed(2)), 'sliders go along');
  await sliders.nth(2).focus();
  await page.keyboard.press('PageUp');
  await waitFor('a slider to move it', async () => (await code())[2] !== dragged[2]);
  await pad().focus();
  const at = await code();
  await page.keyboard.press('ArrowUp');
  await waitFor('an arrow key to move it', async () => (await code())[0] !== at[0]);
  await settled();
  await sameAsDecoded(model.id);

  // Two units: those change, the others stay.
  await page.getByRole('combobox', { name: 'What the map shows' }).selectOption('units');
  await page.getByRole('combobox', { name: 'Unit upwards' }).selectOption('3');
  const still = await code();
  await page.mouse.click(...await place(0.02, 0.02));
  await waitFor('another code', async () => (await code())[3] !== still[3]);
  await mark('outside the data').waitFor();
  await settled();
  const now = await sameAsDecoded(model.id);
  assert.deepEqual([now[1], now[2]], [still[1], still[2]]);

  // The address has all of it.
  await waitFor('the address', async () => new URL(page.url()).hash.includes(`axes=${encodeURIComponent('0,3')}`));
  await page.reload();
  await waitFor('the code again', async () => (await shown()) > 0 && (await code()).every((x, i) => Math.abs(x - now[i]) < 1e-3), 20000);
  assert.equal(await page.getByRole('combobox', { name: 'Unit upwards' }).inputValue(), '3');
});

test('a point is its image, code and neighbours; a class, a mean and a seed are places to begin', async () => {
  await ready(`#/explore/walked`, { bypassCSP: true }); // axe is a script of the test's
  await waitFor('points', async () => (await points()) > 9900, 30000);
  await pad().focus();
  await page.keyboard.press('Enter'); // the nearest to where it is: test image 0
  await page.getByText('test image 0, Ankle boot').waitFor();
  await page.getByRole('textbox', { name: 'Test image' }).fill('7');
  await page.getByRole('textbox', { name: 'Test image' }).press('Enter');
  await page.getByText('test image 7, Shirt').waitFor();
  await settled();
  const z = await sameAsDecoded(model.id);
  const near = await daemon.api(`v1/models/${model.id}/nearest`, { z, k: 8 });
  const tiles = page.locator('.explore-tile');
  await waitFor('its neighbours', async () => (await tiles.first().getAttribute('title'))?.includes(`training image ${near.index[0]},`));
  assert.equal(await tiles.count(), 8);
  await tiles.nth(2).click();
  await page.getByText(`train image ${near.index[2]}`).waitFor();
  await page.getByRole('combobox', { name: 'Mean of a class' }).selectOption('Bag');
  const stats = await daemon.api(`v1/models/${model.id}/latents/stats`);
  await waitFor('the mean of bags', async () => Math.abs((await code())[0] - stats.classes[8].mean[0]) < 1e-4);
  await page.getByRole('button', { name: 'Next seed' }).click();
  const sample = await daemon.api(`v1/models/${model.id}/sample`, { count: 1, seed: 1 });
  await waitFor('seed 1', async () => Math.abs((await code())[0] - sample.z[0][0]) < 1e-4);
  await page.getByText('Save, or the same from a terminal').click();
  assert.match(await page.getByLabel('command that decodes this code', { exact: true }).textContent(),
    /curl --json '\{"z":\[\[[^]*decode\.png/);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'image.png' }).click()]);
  assert.match(file.suggestedFilename(), /epoch-\d+\.png$/);
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    assert.deepEqual(await seriousViolations(), [], theme);
  }
});

test('a PNG that is dropped is encoded; one that does not fit is refused in the words of the daemon', async () => {
  await ready(`#/explore/${model.id}`, { allow: /status of 422/ });
  const picture = async (path) => Buffer.from(await (await fetch(daemon.url + path)).arrayBuffer());
  const png = (query) => picture(`v1/datasets/fashion-mnist/images.png?${query}`);
  const chosen = page.getByLabel('A PNG of your own');
  const { z: [bag] } = await daemon.api(`v1/models/${model.id}/encode`, { dataset: 'fashion-mnist', split: 'test', indices: [18] });
  const bytes = [...await png('indices=18')];
  await page.locator('.explore-grid').evaluate((node, all) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(all)], 'mine.png', { type: 'image/png' }));
    node.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, bytes);
  await waitFor('its code', async () => (await code()).every((x, i) => Math.abs(x - bag[i]) < 1e-4));
  await page.locator('.explore-original', { hasText: 'mine.png' }).waitFor();
  await settled();
  await sameAsDecoded(model.id);
  await chosen.setInputFiles({ name: 'two.png', mimeType: 'image/png', buffer: await png('indices=1,2&cols=2') });
  await page.getByText('Read as 2 images of 28 × 28').waitFor();
  await page.locator('.explore-original', { hasText: 'two.png' }).waitFor();
  await chosen.setInputFiles({ name: 'chart.png', mimeType: 'image/png', buffer: await picture(`v1/jobs/${model.id}/curves.png`) });
  const alert = page.getByRole('alert').filter({ hasText: /28/ });
  await alert.waitFor();
  assert.equal(await page.getByText('Read as 2 images').isVisible(), false);
  assert.match(await page.locator('.explore-original').textContent(), /two\.png/, 'what was there before stays');
});

test('the way from A to B: a strip, a slider along it', async () => {
  await ready(`#/explore/${model.id}`);
  const keep = (letter) => page.getByRole('button', { name: `Keep as ${letter}` }).click();
  await keep('A');
  const a = await code();
  await page.getByRole('button', { name: 'Next image' }).click();
  await waitFor('another image', async () => (await code())[0] !== a[0]);
  const b = await code();
  await keep('B');
  const strip = page.getByRole('img', { name: /^10 images on the way from A/ });
  await strip.waitFor();
  assert.deepEqual(await strip.evaluate(({ width, height }) => [width, height]), [280, 28]);
  const { z } = await daemon.api(`v1/models/${model.id}/interpolate`, { from: { z: a }, to: { z: b }, steps: 3 });
  await page.getByRole('slider', { name: 'Place between A and B' }).fill('0.5');
  await waitFor('half of the way', async () => (await code()).every((x, i) => Math.abs(x - z[1][i]) < 1e-4));
  await settled();
  await sameAsDecoded(model.id);
  const { width, height } = await strip.boundingBox();
  await strip.click({ position: { x: width - 3, y: height / 2 } });
  await waitFor('its end', async () => (await code()).every((x, i) => Math.abs(x - b[i]) < 1e-4));
});

test('the same code through the checkpoints, by slider and by play', async () => {
  await ready(`#/explore/${model.id}`);
  await waitFor('points', async () => (await points()) > 9900, 30000);
  const z = await code();
  const slider = page.getByRole('slider', { name: 'Checkpoint' });
  await slider.focus();
  await page.keyboard.press('Home');
  await waitFor('the first epoch', async () => (await data('epoch')) === '1');
  await settled();
  assert.deepEqual(await sameAsDecoded(`${model.id}@1`), z);
  assert.match(page.url(), /@1\?/);
  await page.getByRole('button', { name: 'Newest' }).click();
  await waitFor('the end of the slider', async () => (await slider.inputValue()) === '3');
  await image().evaluate((canvas) => {
    window.epochs = new Set();
    new MutationObserver(() => window.epochs.add(canvas.dataset.epoch)).observe(canvas, { attributes: true });
  });
  await page.getByRole('button', { name: 'Play' }).click();
  await waitFor('each of them', async () => (await page.evaluate(() => window.epochs.size)) === 3, 30000);
  await page.getByRole('button', { name: '▶ Play' }).waitFor({ timeout: 20000 });
  assert.deepEqual(await code(), z);
  await page.goto(`${daemon.url}#/explore/walked@2`);
  await waitFor('the checkpoint of the address', async () => (await data('epoch')) === '2', 20000);
});

test('a run that still learns: the image follows its weights, the map its codes', async () => {
  const { id } = await daemon.api('v1/jobs', { ...LONG, params: { ...LONG.params, train_limit: 3000 } });
  await ready(`#/explore/${id}`, { allow: LOST });
  await waitFor('points', async () => (await points()) > 9900, 20000);
  // A hand that leads the code about sees it, though the net learns: each movement of some, never two requests at once.
  let [under, most] = [0, 0];
  const decode = (request) => request.url().endsWith('/decode.npy');
  page.on('request', (request) => { if (decode(request)) most = Math.max(most, under += 1); });
  page.on('requestfinished', (request) => { if (decode(request)) under -= 1; });
  const from = await shown();
  const [left, right] = [await place(0.4, 0.6), await place(0.6, 0.5)];
  await page.mouse.move(...left);
  await page.mouse.down();
  await waitFor('images on the way', async () => {
    await page.mouse.move(...right, { steps: 5 });
    await page.mouse.move(...left, { steps: 5 });
    return (await shown()) > from + 12;
  }, 60000);
  await page.mouse.up();
  assert.equal(most, 1);
  await settled();
  const { step, z } = await seen();
  const drawn = await pad().getAttribute('data-drawn');
  await waitFor('later weights', async () => (await seen()).step > step, 20000);
  assert.deepEqual((await seen()).z, z, 'the code stays');
  await waitFor('the map again', async () => Number(await pad().getAttribute('data-drawn')) > Number(drawn) + 1, 20000);
  await cancel(id);
  await waitFor('its kept weights', async () => /best|last/.test(await page.locator('.explore-moment').first().textContent()), 20000);
  await waitFor('their image', async () => await sameAsDecoded(id), 20000);
});

test('a model that only paints: seeds, random directions, truncation', async () => {
  await ready(`#/explore/${gan.id}`);
  const { z: [seed] } = await daemon.api(`v1/models/${gan.id}/sample`, { count: 1, seed: 0 });
  await waitFor('seed 0', async () => Math.abs((await code())[0] - seed[0]) < 1e-4);
  await waitFor('images over the plane', async () => Number(await pad().getAttribute('data-tiles')) > 100, 20000);
  assert.equal(await page.getByText('Drop a PNG').isVisible(), false);
  await page.getByRole('slider', { name: 'Truncation' }).fill('0.5');
  await waitFor('half as long a code', async () => Math.abs((await code())[5] - seed[5] / 2) < 1e-4);
  await page.mouse.click(...await place(0.2, 0.2));
  await waitFor('another code', async () => Math.abs((await code())[5] - seed[5] / 2) > 1e-4);
  await settled();
  await sameAsDecoded(gan.id);
  await page.getByRole('slider', { name: 'Latent unit 0' }).fill('2.4');
  assert.equal(await page.getByRole('slider', { name: /^Latent unit/ }).count(), 24);
  await page.getByRole('button', { name: 'Show all 40 units' }).click();
  assert.equal(await page.getByRole('slider', { name: /^Latent unit/ }).count(), 40);
});

test('a run that waits for another says so, and is there once it has weights', async () => {
  const first = await daemon.api('v1/jobs', LONG);
  const { id } = await daemon.api('v1/jobs', { ...LONG, depends_on: [first.id] });
  await open(`#/explore/${id}`, { allow: LOST });
  await page.locator('.card', { hasText: /queued/ }).waitFor();
  assert.equal(await page.locator('.explore-grid').isVisible(), false);
  await daemon.api(`v1/jobs/${first.id}/stop`, {});
  await waitFor('an image', async () => (await shown()) > 0, 60000);
});

test('models to explore are listed, and a narrow page is led by touch', async () => {
  await open('#/explore', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await page.getByRole('link', { name: /walked/ }).click();
  await waitFor('an image', async () => (await shown()) > 0, 20000);
  await waitFor('points', async () => (await points()) > 5000);
  const before = await code();
  await pad().scrollIntoViewIfNeeded();
  await page.touchscreen.tap(...await place(0.5, 0.5));
  await waitFor('another code', async () => (await code())[0] !== before[0]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
});

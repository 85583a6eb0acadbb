// What a new user does in the first hour, by the page alone: submits a VAE, watches it, pauses and resumes it, forks it with another
// beta, compares both, walks its latent space while it trains, and takes the weights along.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { box, chart, daemon, LOST, open, page, pill, points, REFUSED, session } from './session.mjs';

session();

const MINUTE = 60000;
const idOf = (url) => /#\/runs\/(job_\w+)/.exec(url)?.[1];
const button = (name) => page.getByRole('button', { name, exact: true });
const image = () => page.getByRole('img', { name: /^Decoded image/ });
const map = () => page.getByRole('application', { name: 'Map of the codes' });
const shown = async () => Number(await image().getAttribute('data-shown'));

/** The image under the hand: its code, the step of its weights, and its pixels. */
const seen = () => image().evaluate((canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  return { z: canvas.dataset.z.split(',').map(Number), step: canvas.dataset.step, pixels: [...data].filter((_, i) => i % 4 === 0) };
});

/** What /decode makes of z, as a PNG has it, and the step of its weights. */
async function decode(model, z) {
  const reply = await fetch(`${daemon.url}v1/models/${model}/decode`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ z: [z] }) });
  const { images } = await reply.json();
  return { step: reply.headers.get('Latentd-Step'), pixels: images[0].flat(2).map((v) => Math.floor(Math.min(1, Math.max(0, v)) * 255 + 0.5)) };
}

/** Weights are published about once a second: the image and the answer are compared where both are of the same ones. */
async function sameAsDecoded(model) {
  const [here, there] = await waitFor('an image of the weights that answer', async () => {
    const picture = await seen();
    const answer = await decode(model, picture.z);
    return picture.step === answer.step && [picture, answer];
  }, MINUTE);
  assert.deepEqual(here.pixels, there.pixels);
}

test('a VAE, from the first click to its weights on disk', async () => {
  await open('#/', { allow: new RegExp(`${REFUSED.source}|${LOST.source}`), acceptDownloads: true });

  // --- submit ---
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'New run' }).click();
  await page.locator('#kind').selectOption('vae');
  await box('name').fill('mine');
  await box('latent_dim').fill('2');
  await box('epochs').fill('4000');
  await box('train_limit').fill('3000');
  await page.locator('.estimate', { hasText: 'parameters' }).waitFor();
  await page.locator('.start button').click();

  // --- watch ---
  await page.waitForURL(/#\/runs\/job_/);
  const mine = idOf(page.url());
  await pill('running');
  await waitFor('points of its curve', async () => (await points()) > 20, MINUTE);
  const early = await points();
  await waitFor('more of them', async () => (await points()) > early, MINUTE);

  // --- pause and resume ---
  await button('Pause').click();
  await pill('paused');
  assert.equal((await daemon.api(`v1/jobs/${mine}`)).status, 'paused');
  await button('Resume').click();
  await pill('running');
  const resumed = (await daemon.api(`v1/jobs/${mine}`)).progress.step;
  await waitFor('steps after that', async () => (await daemon.api(`v1/jobs/${mine}`)).progress.step > resumed, MINUTE);

  // --- fork with another beta ---
  const form = page.getByRole('form', { name: 'Go on from a checkpoint' });
  await form.getByText('With other parameters').click();
  await form.getByRole('textbox', { name: /^beta\b/ }).fill('4');
  await form.getByRole('button', { name: 'Fork', exact: true }).click();
  await page.waitForURL((url) => ![null, undefined, mine].includes(idOf(url.href)));
  const fork = idOf(page.url());
  const { params, from } = await daemon.api(`v1/jobs/${fork}`);
  assert.deepEqual([params.beta, params.latent_dim, from.job], [4, 2, mine]);
  await waitFor('its curve, which begins as the other\'s', async () => (await points()) > 20, MINUTE);

  // --- compare both ---
  await page.getByRole('link', { name: 'compare both' }).click();
  await page.waitForURL(new RegExp(`#/compare/.*${mine}`));
  const charts = page.locator('.compared .chart');
  await waitFor('both curves', async () => Number(await charts.first().getAttribute('data-points')) > 40, MINUTE);
  const row = page.locator('.compare-table tr').filter({ has: page.getByRole('rowheader', { name: 'beta', exact: true }) });
  assert.deepEqual((await row.locator('td').allTextContents()).map(Number).sort(), [1, 4]);

  // --- walk its space while it trains ---
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Explore' }).click();
  await page.getByRole('link', { name: /^mine\b/ }).first().click();
  await waitFor('an image', async () => (await shown()) > 0, MINUTE);
  await waitFor('the map', async () => Number(await map().getAttribute('data-points')) > 1000, MINUTE);
  const first = await seen();
  const before = await shown();
  const area = await map().boundingBox();
  await page.mouse.move(area.x + 0.3 * area.width, area.y + 0.3 * area.height);
  await page.mouse.down();
  for (let i = 1; i <= 20; i += 1) await page.mouse.move(area.x + (0.3 + 0.02 * i) * area.width, area.y + (0.3 + 0.015 * i) * area.height);
  await waitFor('the image to follow', async () => (await shown()) > before + 2, MINUTE);
  await page.mouse.up();
  await waitFor('another code', async () => (await seen()).z.join() !== first.z.join());
  assert.notDeepEqual((await seen()).pixels, first.pixels);
  assert.equal((await daemon.api(`v1/jobs/${mine}`)).status, 'running');
  await sameAsDecoded(mine);

  // --- take the weights along ---
  await page.goto(`${daemon.url}#/runs/${mine}`);
  await button('Stop and keep').click();
  await page.getByRole('dialog').getByRole('button', { name: /^End/ }).click();
  await pill('succeeded');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^weights/ }).first().click()]);
  const kept = Buffer.from(await (await fetch(`${daemon.url}v1/models/${mine}/weights`)).arrayBuffer());
  assert.ok(kept.length > 10000);
  assert.ok(kept.equals(await readFile(await file.path())), 'the file is what the daemon has');
  assert.ok((await chart().first().getAttribute('data-points')) > 20);
});

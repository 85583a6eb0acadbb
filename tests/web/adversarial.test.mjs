// A run of an adversarial pair on the page: charts of many units, shares of classes, previews within an epoch, noise as its code.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { canvasOf, closePage, launch, openPage, startDaemon, waitFor } from './harness.mjs';

const PAIR = { kind: 'gan', name: 'pair', params: { channels: [16, 8], discriminator_channels: [8, 16], judge_samples: 256, train_limit: 2000, epochs: 2 } };

let daemon;
let browser;
let page;

before(async () => {
  [daemon, browser] = await Promise.all([startDaemon(), launch()]);
  await daemon.api('v1/jobs', PAIR);
  await waitFor('the run', async () => (await daemon.api('v1/jobs/pair')).status === 'succeeded', 60000);
  page = await openPage(browser, `${daemon.url}#/runs/pair`);
});
after(async () => {
  await closePage(page);
  await browser?.close();
  await daemon?.stop();
});

const titles = (of) => page.locator(of).allTextContents();

test('each unit has a chart, what stands for the run first, and the classes have theirs by name', async () => {
  await waitFor('the shares', async () => /Ankle boot/.test((await titles('.small-curves .readout')).join(' ')));
  assert.deepEqual((await titles('.curves h2')).slice(0, 3), ['Loss', 'fcd', 'Probability']);
  assert.deepEqual(await page.locator('.curves').first().locator('.readout dt').allTextContents(), ['d_loss', 'd_loss_real', 'd_loss_fake', 'g_loss', 'epoch']);
  assert.ok((await titles('.small-curves h3')).includes('min_share'));
  const chart = page.locator('.small-curves .all .chart');
  await chart.scrollIntoViewIfNeeded(); // what is not seen is not drawn
  await waitFor('their points', async () => Number(await chart.getAttribute('data-points')) === 10 * 20);
  await page.locator('.curves').first().getByText('What these curves say').click();
  await page.getByText('2 ln 2: guessing: 1.386').waitFor();
});

test('ten previews an epoch, of samples alone', async () => {
  const slider = page.getByRole('slider', { name: 'Epoch of the previews' });
  assert.equal(await slider.getAttribute('max'), '20');
  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('.previews-panel output').textContent(), /^2, step \d+$/);
  assert.equal(await page.locator('.previews-panel figure:visible').count(), 1);
});

test('its code is noise: no test image to start from, and walks go from seed to seed', async () => {
  await waitFor('a picture', async () => (await canvasOf(page.locator('canvas.decoded'))).width === 28);
  assert.equal(await page.getByRole('button', { name: 'Test image' }).isVisible(), false);
  const values = await page.locator('.latent-panel output').allTextContents();
  assert.ok(new Set(values).size > 20, 'a draw, not the mean');
  const strip = page.locator('.walk-panel canvas');
  await waitFor('a walk', async () => (await canvasOf(strip)).width === 280);
  assert.equal(await page.getByRole('combobox', { name: 'Walk from' }).isVisible(), false);
  assert.equal(await page.getByRole('combobox', { name: 'How to walk' }).locator('option').first().textContent(), 'auto (slerp)');
  assert.deepEqual(page.complaints, []);
});

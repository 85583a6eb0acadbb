// A map of a run's codes: offered where a run has ended, started by a press, watched on a page of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { daemon, finished, open, page, pill, seriousViolations, session } from './session.mjs';

let base;
session({
  prepare: async () => {
    base = await daemon.api('v1/jobs', { kind: 'ae', preset: 'report', name: 'encoder', params: { epochs: 1, train_limit: 1000, preview_every_epochs: 0 } });
    await finished(base.id);
  },
});

test('a run that has ended offers maps of its codes, and a press makes one', async () => {
  await open(`#/runs/${base.id}`, { bypassCSP: true }); // axe is a script of the test's
  await page.locator('.map-panel button', { hasText: 'tsne' }).waitFor();
  assert.match(await page.locator('.map-panel code').last().textContent(), new RegExp(`"preset":"tsne","from":"${base.id}"`));
  await page.locator('.map-panel button', { hasText: 'pca' }).first().click();
  await page.waitForURL((address) => /#\/runs\/job_/.test(address) && !address.href.endsWith(base.id));
  await pill('succeeded');
  const map = page.locator('.previews-panel figure:visible canvas');
  await waitFor('the map', async () => Number(await map.getAttribute('data-shown')) > 0);
  assert.equal(await map.count(), 1);
  assert.match(await map.getAttribute('aria-label'), /^map at epoch 1$/);
  assert.equal(await page.locator('.latent-panel, .samples-panel, .walk-panel').evaluateAll((all) => all.filter((panel) => !panel.hidden).length), 0);
  assert.deepEqual((await page.locator('.links a:visible').allTextContents()).filter((text) => /projection|weights|pytorch/.test(text)),
    ['projection.png', 'projection.csv', 'projection.npy']);
  assert.deepEqual(await seriousViolations(), []);
});

test('t-SNE moves on the page, with its curve', async () => {
  const job = await daemon.api('v1/jobs', { kind: 'projection', preset: 'tsne', from: base.id, params: { n: 500, iterations: 100000 } });
  await open(`#/runs/${job.id}`);
  const slider = page.getByRole('slider', { name: 'Epoch of the previews' });
  await waitFor('pictures', async () => Number(await slider.getAttribute('max')) >= 3, 30000);
  await waitFor('points', async () => Number(await page.locator('.chart').first().getAttribute('data-points')) > 50, 20000);
  assert.match(await page.locator('.facts').textContent(), /points\/s/);
  await page.getByRole('button', { name: 'Stop and keep', exact: true }).click();
  await page.getByRole('button', { name: 'End the run' }).click();
  await pill('succeeded');
});

test('the form of a new run has its fields and sends what they say', async () => {
  await open('#/new/projection');
  await page.locator('.choice', { hasText: 'tsne' }).click();
  await page.getByLabel(/^space\b/).selectOption('pixels');
  await page.getByRole('textbox', { name: /^n\b/ }).fill('200');
  await waitFor('its curl line', async () => /"preset":"tsne".*"params":\{"space":"pixels","n":200\}/.test(await page.locator('.form-side code').textContent()));
  await waitFor('its estimate', async () => /memory/.test(await page.locator('.estimate').textContent()));
  assert.doesNotMatch(await page.locator('.estimate').textContent(), /parameters/);
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.waitForURL(/#\/runs\/job_/);
  await pill('succeeded');
});

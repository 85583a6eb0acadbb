// The page of a study: real small ones, live.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { daemon, finished, open, page, session, seriousViolations } from './session.mjs';

session({ args: ['--workers', '1'] });

const BASE = { kind: 'ae', params: { epochs: 2, train_limit: 500, latent_dim: 3, preview_every_epochs: 0 } };
const SPACE = { lr: { low: 1e-4, high: 0.03, log: true }, activation: { values: ['relu', 'tanh'] }, n: { values: [1, 2] },
  'hidden.0': { low: 8, high: 48, when: { n: 2 } }, 'stride.0': { low: 2, high: 6 } };
const study = (params, more = {}) => daemon.api('v1/jobs', { kind: 'study', params, ...more });
const region = (name) => page.getByRole('region', { name, exact: true });
const plotOf = (name) => region(name).locator('.plot-svg');
const count = (locator) => locator.count();
const rows = () => page.locator('.trials tbody tr');
const said = () => page.locator('.parallel-card p.hint').textContent();

let tuned; // the job of the first test, which others look at again

test('a study is watched while it tries: its points, its best, its table; trials that cannot be built say why', async () => {
  tuned = await study({ base: BASE, space: SPACE, trials: 9, startup_trials: 4, pruner: 'median' }, { name: 'tune-<script>' });
  await open(`#/runs/${tuned.id}`, { allow: /status of 409/ }); // a trial that has just begun has no weights to paint with
  await page.waitForURL(/#\/study\/job_/);
  await page.getByRole('heading', { level: 1, name: 'tune-<script>' }).waitFor();
  await waitFor('a first trial in the history', async () => Number(await plotOf('History').getAttribute('data-items')) >= 1, 30000);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator('.study-head .pill', { hasText: 'paused' }).waitFor({ timeout: 60000 });
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  const early = Number(await plotOf('History').getAttribute('data-items'));
  await waitFor('more of them', async () => Number(await plotOf('History').getAttribute('data-items')) > early, 30000);
  await page.locator('.study-head .pill', { hasText: 'succeeded' }).waitFor({ timeout: 60000 });
  const { data } = await daemon.api(`v1/jobs/${tuned.id}/trials`);
  await waitFor('all rows', async () => (await count(rows())) === data.length);
  assert.equal(Number(await plotOf('History').getAttribute('data-items')), data.length);
  const { best } = await daemon.api(`v1/jobs/${tuned.id}/best`);
  await page.getByRole('heading', { name: `Best: trial ${best.trial}` }).waitFor();
  assert.match(await page.locator('.best-value').textContent(), new RegExp(best.value.toPrecision(4).replace('.', '\\.')));
  const shares = (await daemon.api(`v1/jobs/${tuned.id}/importance`)).data;
  assert.deepEqual(await page.locator('.importance-name').allTextContents(), shares.map(({ name }) => name));
  await waitFor('the curves of all that trained',
    async () => Number(await plotOf('On the way').getAttribute('data-items')) === data.filter(({ job }) => job).length);
  const infeasible = data.filter(({ state }) => state === 'infeasible');
  assert.ok(infeasible.length > 0, 'this space has shapes that cannot be built');
  await page.getByText(`Why ${infeasible.length}`).click();
  await page.locator('.reasons li', { hasText: infeasible[0].reason }).first().waitFor();
  await page.getByRole('button', { name: `infeasible ${infeasible.length}` }).click();
  assert.equal(await count(rows()), infeasible.length);
});

test('a brush filters the trials everywhere; handles move by keys; a click opens a trial', async () => {
  await open(`#/study/${tuned.id}`);
  const { data } = await daemon.api(`v1/jobs/${tuned.id}/trials`);
  await waitFor('its lines', async () => (await count(page.locator('.parallel-line'))) === data.filter(({ value }) => value !== null).length);
  assert.match(await said(), /trials with a value/);
  // By mouse, along the axis of the first parameter: its upper half.
  await waitFor('the axis in sight', () => page.locator('.parallel').evaluate((node) => {
    node.scrollIntoView({ block: 'center' });
    const { top, bottom } = node.getBoundingClientRect();
    return top > 60 && bottom < innerHeight;
  }));
  const strip = await page.locator('.axis .strip').first().boundingBox();
  const [x, y] = [strip.x + strip.width / 2, strip.y];
  await page.mouse.move(x, y + 24); // beneath the handle
  await page.mouse.down();
  await page.mouse.move(x, y + strip.height / 2, { steps: 4 });
  await page.mouse.up();
  await waitFor('fewer trials', async () => / of \d+ trials: lr /.test(await said()));
  const [, low, high] = /lr ([\d.e-]+) … ([\d.e-]+)/.exec(await said());
  const wanted = data.filter(({ params }) => params.lr >= Number(low) * 0.999 && params.lr <= Number(high) * 1.001);
  assert.ok(wanted.length > 0 && wanted.length < data.length, `${wanted.length} of ${data.length} from ${low} to ${high}`);
  await waitFor('the table follows', async () => (await count(rows())) === wanted.length);
  assert.ok(await count(page.locator('.parallel-line.off')) > 0);
  assert.ok(await count(plotOf('History').locator('.plot-item.off')) > 0);
  await page.getByRole('button', { name: 'All trials' }).click();
  await waitFor('all rows again', async () => (await count(rows())) === data.length);
  // By keys: from the lower end of the choices one step up takes the first away.
  const handle = page.getByRole('slider', { name: 'activation, from' });
  await handle.focus();
  await page.keyboard.press('ArrowUp');
  const tanh = data.filter(({ params }) => params.activation === 'tanh');
  await waitFor('trials with tanh', async () => (await count(rows())) === tanh.length);
  assert.equal(await handle.getAttribute('aria-valuetext'), 'tanh');
  await page.keyboard.press('Escape');
  await waitFor('all rows again', async () => (await count(rows())) === data.length);
  await plotOf('History').focus();
  await page.keyboard.press('ArrowRight');
  await waitFor('the first trial is marked', async () => (await count(page.locator('.trials tr.on'))) === 1);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`#/runs/${data[0].job}`));
});

test('one click trains the best again, in full; the request is there as curl; charts are saved', async () => {
  await open(`#/study/${tuned.id}`, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByRole('textbox', { name: 'epochs' }).fill('3');
  const child = await daemon.api(`v1/jobs/${(await daemon.api(`v1/jobs/${tuned.id}/best`)).job}`);
  await page.getByRole('button', { name: 'Copy as curl: Train it' }).click();
  await waitFor('the line', async () => /"epochs":3/.test(await page.evaluate(() => navigator.clipboard.readText())));
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save history as SVG' }).click()]);
  const saved = await readFile(await download.path(), 'utf8');
  assert.ok(saved.startsWith('<svg') && saved.includes('stroke-dasharray') && !saved.includes('var('), saved.slice(0, 200));
  const [png] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save parallel as PNG' }).click()]);
  assert.equal((await readFile(await png.path())).subarray(1, 4).toString(), 'PNG');
  await page.getByRole('button', { name: 'Train it', exact: true }).click();
  await page.waitForURL(/#\/runs\/job_/);
  const job = await finished(/job_\w+$/.exec(page.url())[0]);
  assert.deepEqual([job.kind, job.status, job.params], ['ae', 'succeeded', { ...child.params, epochs: 3 }]);
});

test('a study of repeats shows mean and band; a sweep its samples', async () => {
  const repeats = await daemon.api('v1/jobs', { ...BASE, seeds: [1, 2, 3] });
  await finished(repeats.id);
  await open(`#/study/${repeats.id}`);
  await waitFor('a band', async () => (await plotOf('Repeats on other seeds').getAttribute('data-bands')) === '1');
  const { best } = await daemon.api(`v1/jobs/${repeats.id}/best`);
  const row = region('Repeats on other seeds').locator('tbody tr');
  await row.filter({ hasText: best.value.toPrecision(4) }).filter({ hasText: best.std.toPrecision(3).slice(0, 5) }).waitFor();
  assert.equal(await row.locator('td a').count(), 3);
  assert.equal(await plotOf('Repeats on other seeds').locator('.member').count(), 3);
  assert.equal(await region('Parameters of the trials').count(), 0, 'trials that are alike have no axes');
  await waitFor('their samples', async () => (await count(page.locator('.gallery-cell canvas[data-shown]'))) === 3);
});

test('neither theme has anything serious that axe-core finds, and a phone scrolls no page', async () => {
  for (const colorScheme of ['light', 'dark']) {
    await page?.context().close();
    await open(`#/study/${tuned.id}`, { colorScheme, bypassCSP: true, viewport: { width: 360, height: 740 } });
    await waitFor('its lines', async () => (await count(page.locator('.parallel-line'))) > 0 && (await count(rows())) > 0);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${colorScheme} scrolls sideways`);
    assert.deepEqual(await seriousViolations(), [], colorScheme);
  }
});

// Runs beside each other: curves, differences, repeats, a branch, previews at one epoch; runs come and go, and the address with them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { canvasOf, waitFor } from './harness.mjs';
import { cancel, daemon, finished, LONG, open, page, seriousViolations, session } from './session.mjs';

const SMALL = { kind: 'ae', params: { train_limit: 1000, epochs: 3, latent_dim: 2 } };
let ids;
let fork;

session({ prepare: async () => {
  const bodies = [{ name: 'one', seed: 1 }, { name: 'two', seed: 2 }, { name: 'wide',
    params: { ...SMALL.params, latent_dim: 6, epochs: 2 } }];
  ids = (await Promise.all(bodies.map((body) => daemon.api('v1/jobs', { ...SMALL, ...body })))).map(({ id }) => id);
  await Promise.all(ids.map(finished));
  fork = (await daemon.api(`v1/jobs/${ids[0]}/fork`, { checkpoint: 2, name: 'branch', params: { lr: 0.02, epochs: 5 } })).id;
  await finished(fork);
} });

const charts = () => page.locator('.compared .chart');
const label = (i = 0) => charts().nth(i).getAttribute('aria-label');
const row = (name) => page.locator('.compare-table tr').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
const cells = (name) => row(name).locator('td').allTextContents();
const drawn = () => waitFor('the curves', async () => Number(await charts().first().getAttribute('data-points')) > 20);

test('from the list to shared axes: what differs, what is best, and all of it as a file', async () => {
  await open('#/?q=latent_dim%3D2&sort=name');
  await page.getByRole('link', { name: 'two', exact: true }).waitFor();
  await page.goto(`${daemon.url}#/compare/${ids.join(',')}`);
  await drawn();
  assert.match(await label(), /one 0\.\d+ at epoch 3\.0.*two .* at epoch 3\.0.*wide .* at epoch 2\.0/);
  assert.ok((await canvasOf(page.locator('.compared .chart canvas').first())).coloured > 50);
  assert.deepEqual(await cells('latent_dim'), ['2', '2', '6']);
  assert.deepEqual(await cells('seed'), ['1', '2', '0']);
  assert.equal(await row('batch_size').count(), 0);
  await page.getByLabel('also what is the same').check();
  assert.deepEqual(await cells('batch_size'), ['128', '128', '128']);
  const losses = (await cells('best val_loss')).map((text) => Number(text.replace('★ ', '')));
  assert.equal((await cells('best val_loss')).findIndex((text) => text.startsWith('★')), losses.indexOf(Math.min(...losses)));
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV', exact: true }).click()]);
  assert.match(await readFile(await file.path(), 'utf8'), /^,one,two,wide\nbest val_loss,0\.\d+,/);
  await page.getByText('more that they share').click();
  await waitFor('the small charts',
    async () => (await charts().count()) > 3 && Number(await charts().last().getAttribute('data-points')) > 5);
});

test('repeats as their mean with a band; a fork as a branch of its parent', async () => {
  await open(`#/compare/${[ids[0], ids[1], fork].join(',')}`);
  await drawn();
  const alone = (await daemon.api(`v1/jobs/${fork}/metrics?names=val_loss&by=epoch`)).series.val_loss.value.length;
  assert.equal(alone, 5);
  await waitFor('the fork from epoch 2 on', async () => Number(await charts().nth(1).getAttribute('data-points')) === 3 + 3 + 4);
  await page.getByText('mean, least to greatest').click();
  await waitFor('one line for both', async () => /one: mean of 2 .* branch/.test((await label()).replaceAll('\n', ' ')));
  const { series: a } = await daemon.api(`v1/jobs/${ids[0]}/metrics?names=val_loss&by=epoch`);
  const { series: b } = await daemon.api(`v1/jobs/${ids[1]}/metrics?names=val_loss&by=epoch`);
  const mean = ((a.val_loss.value[2] + b.val_loss.value[2]) / 2).toPrecision(4);
  await waitFor('their mean', async () => (await label(1)).includes(`one: mean of 2 ${mean} at epoch 3.0`));
});

test('repeats by the name of their study, as their mean; one that is gone is said, and the others are shown', async () => {
  const study = await daemon.api('v1/jobs', { ...SMALL, name: 'again', params: { train_limit: 500, epochs: 1 }, seeds: [1, 2] });
  await finished(study.id);
  await open('#/compare/again,no-such-run', { allow: /status of 404/ });
  await page.locator('.toast.error').filter({ hasText: 'no-such-run' }).waitFor();
  await waitFor('the mean', async () => /mean of 2/.test(await label()));
  assert.equal(await page.locator('.run-chip').count(), 2);
});

test('previews of one epoch, the nearest before it where there is none, played from the beginning', async () => {
  await open(`#/compare/${ids.join(',')}`);
  const figures = page.locator('.compared-previews figure');
  const shown = () => figures.evaluateAll((all) => all.map((figure) => figure.dataset.epoch).join());
  await waitFor('the newest of each', async () => (await shown()) === '3,3,2');
  await figures.nth(2).getByText('epoch 2').waitFor();
  await waitFor('a picture', async () => (await canvasOf(figures.first().locator('canvas'))).width > 28);
  const slider = page.getByRole('slider', { name: 'Epoch of all previews' });
  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await shown(), '2,2,2');
  await page.keyboard.press('End');
  await page.getByRole('button', { name: 'Play' }).click();
  await waitFor('the beginning', async () => (await shown()).startsWith('0,0,0') || (await shown()).startsWith('1,1,1'));
  await waitFor('the end', async () => (await shown()) === '3,3,2' && await page.getByRole('button', { name: 'Play' }).isVisible());
});

test('runs are added and taken away in place; one that trains grows', async () => {
  const live = await daemon.api('v1/jobs', { ...LONG, name: 'live' });
  await open(`#/compare/${ids[0]},${ids[2]}`);
  await drawn();
  const colour = (name) => page.locator('.run-chip').filter({ hasText: name }).locator('.swatch').getAttribute('class');
  const wide = await colour('wide');
  await page.getByRole('button', { name: 'Take one away' }).click();
  await page.waitForURL((url) => url.hash === `#/compare/${ids[2]}`);
  await waitFor('the page without it', async () => (await page.locator('.run-chip').count()) === 1);
  const select = page.getByRole('combobox', { name: 'Add a run' });
  await select.focus();
  await waitFor('choices', async () => (await select.locator('option').count()) > 2);
  await select.selectOption(live.id);
  await page.waitForURL((url) => url.hash === `#/compare/${ids[2]},${live.id}`);
  assert.equal(await colour('wide'), wide);
  await drawn();
  const points = async () => Number(await charts().nth(1).getAttribute('data-points'));
  const at = await points();
  await waitFor('the live one to grow', async () => (await points()) > at, 20000);
  await cancel(live.id);
  await page.locator('.run-chip').getByText('cancelled').waitFor();
});

for (const colorScheme of ['light', 'dark']) {
  test(`no serious accessibility faults, ${colorScheme}`, async () => {
    await open(`#/compare/${[...ids, fork].join(',')}`, { colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
    await drawn();
    await page.locator('.compared-previews figure').first().waitFor();
    for (const summary of await page.locator('.compared summary, .more-series > summary').all()) await summary.click();
    assert.deepEqual(await seriousViolations(), []);
    await page.setViewportSize({ width: 360, height: 760 });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  });
}

// Kinds that tell classes apart: the form that asks what a run goes on from, and what its page shows of the classes.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';
import { closePage, launch, openPage, startDaemon, waitFor } from './harness.mjs';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const REFUSED = /status of 422/; // the form asks before there is anything to go on from
const QUICK = { train_limit: 2000, epochs: 2 };

let daemon;
let browser;
let page;

before(async () => {
  [daemon, browser] = await Promise.all([startDaemon(), launch()]);
});
after(async () => {
  await browser?.close();
  await daemon?.stop();
});
afterEach(async (t) => {
  const complaints = page?.complaints ?? [];
  await closePage(page);
  page = null;
  assert.deepEqual(complaints, [], `console of '${t.name}'`);
});

const open = async (hash, options = {}) => {
  page = await openPage(browser, daemon.url + hash, options);
  return page;
};
const kind = () => page.locator('#kind');
const from = () => page.getByRole('combobox', { name: /^from/ });

test('without a finished encoder the form says what is needed', async () => {
  await open('#/new', { allow: REFUSED });
  await kind().selectOption('finetune');
  await page.locator('.field', { has: from() }).locator('.error').filter({ hasText: 'there is none here yet' }).waitFor();
  await kind().selectOption('classifier');
  await waitFor('no such field', async () => (await from().count()) === 0);
  await page.locator('.estimate', { hasText: 'parameters' }).waitFor();
});

test('a head goes on from the run that was picked, and its page shows the classes', async () => {
  const base = await daemon.api('v1/jobs', { kind: 'ae', preset: 'report', name: 'encoder', params: { ...QUICK, preview_every_epochs: 0 } });
  await daemon.api(`v1/jobs/${base.id}?wait_s=60`);
  await open('#/new', { bypassCSP: true }); // axe is a script of the test's
  await kind().selectOption('finetune');
  await from().waitFor();
  assert.equal(await from().inputValue(), 'encoder');
  await page.getByRole('textbox', { name: /^epochs\b/ }).fill('3');
  await page.getByRole('textbox', { name: /^train_limit\b/ }).fill('3000');
  await page.getByRole('textbox', { name: /^augment\b/ }).fill('hflip, crop');
  await waitFor('its curl line', async () => /"from":"encoder".*"augment":\["hflip","crop"\]/.test(await page.locator('.form-side code').textContent()));
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.waitForURL(/#\/runs\/job_/);
  await page.locator('.run-head .pill', { hasText: 'succeeded' }).waitFor({ timeout: 60000 });
  const cells = page.locator('.confusion tbody td');
  await waitFor('a confusion matrix', async () => (await cells.count()) === 100, 20000);
  const counts = (await cells.allTextContents()).map(Number);
  assert.equal(counts.reduce((sum, n) => sum + n, 0), 10000);
  assert.equal(await page.locator('.class-figures tbody tr').count(), 10);
  assert.match(await page.locator('.facts').textContent(), /test accuracy\d+\.\d\d %/);
  assert.match(await page.locator('.facts').textContent(), /generalisation gap/);
  assert.equal(await page.getByRole('heading', { name: 'Accuracy', exact: true }).count(), 1);
  assert.equal(await page.locator('.chart').count(), 2);
  assert.equal(await page.locator('.latent-panel, .previews-panel').evaluateAll((all) => all.filter((panel) => !panel.hidden).length), 0);
  assert.equal(await page.locator('.run-head a', { hasText: base.id }).getAttribute('href'), `#/runs/${base.id}`);
  await page.addScriptTag({ content: await readFile(axePath, 'utf8') }).catch(() => {});
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(result.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(' | ')}`), []);
});

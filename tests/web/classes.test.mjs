// Kinds that tell classes apart: the form that asks what a run goes on from, and what its page shows of the classes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { box, daemon, open, page, pill, REFUSED, seriousViolations, session } from './session.mjs';

const QUICK = { train_limit: 2000, epochs: 2 };

session();

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
  await box('epochs').fill('3');
  await page.getByRole('textbox', { name: /^train_limit\b/ }).fill('3000');
  await page.getByRole('textbox', { name: /^augment\b/ }).fill('hflip, crop');
  await waitFor('its curl line', async () => /"from":"encoder".*"augment":\["hflip","crop"\]/.test(await page.locator('.form-side code').textContent()));
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.waitForURL(/#\/runs\/job_/);
  await pill('succeeded');
  const cells = page.locator('.confusion tbody td');
  await waitFor('a confusion matrix', async () => (await cells.count()) === 100, 20000);
  const counts = (await cells.allTextContents()).map(Number);
  assert.equal(counts.reduce((sum, n) => sum + n, 0), 10000);
  assert.equal(await page.locator('.class-figures tbody tr').count(), 10);
  assert.match(await page.locator('.facts').textContent(), /test accuracy\d+\.\d\d %/);
  assert.match(await page.locator('.facts').textContent(), /generalisation gap/);
  assert.equal(await page.getByRole('heading', { name: 'Accuracy', exact: true }).count(), 1);
  assert.equal(await page.locator('.curves .chart').count(), 2);
  assert.equal(await page.locator('.latent-panel, .previews-panel').evaluateAll((all) => all.filter((panel) => !panel.hidden).length), 0);
  assert.equal(await page.locator('.run-head a', { hasText: base.id }).getAttribute('href'), `#/runs/${base.id}`);
  assert.deepEqual(await seriousViolations(), []);
});

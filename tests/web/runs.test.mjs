// The list of many runs, and pages whose daemon goes away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { daemon, open, page, session } from './session.mjs';

const LONG = { kind: 'ae', params: { train_limit: 4000, epochs: 5000, latent_dim: 2 } };
const MANY = 60; // more than the list shows at first
const AWAY = /ERR_FAILED|status of 503/;

// A core is for the browser.
session({ args: ['--threads', '1'], prepare: () => submit(MANY), tidy: false });

const submit = (count) => Promise.all(Array.from({ length: count },
  (_, i) => daemon.api('v1/jobs', { ...LONG, name: `${i} ${'long-name-'.repeat(12)}` })));

const rows = () => page.locator('.runs tbody tr');
const ids = () => page.locator('.run-link').evaluateAll((all) => all.map((link) => link.getAttribute('href').slice(7)));
const showOlder = () => page.getByRole('button', { name: 'Show older runs' });
const bar = (row) => row.locator('progress').evaluate((el) => el.value);

/** The API as a daemon that is away leaves it; back() is its return. */
async function lose(how) {
  await page.route('**/v1/**', how);
  return () => page.unroute('**/v1/**');
}

test('what runs is on the page, however long the queue, and stays live among older runs', async () => {
  await open();
  await waitFor('the newest and those that run', async () => (await rows().count()) === 52);
  assert.deepEqual(await rows().locator('.pill').evaluateAll((all) => all.slice(0, 3).map((pill) => pill.dataset.status)), ['running', 'running', 'queued']);
  await waitFor('what is best of what', async () => (await page.locator('thead').textContent()).includes('Best val_loss'));
  await showOlder().click();
  await waitFor('all', async () => (await rows().count()) === MANY);
  const oldest = rows().last();
  const at = await bar(oldest);
  await waitFor('progress among the older ones', async () => (await bar(oldest)) > at);
  await submit(45);
  const newest = (await daemon.api('v1/jobs?limit=100')).data.map((job) => job.id);
  const running = (await daemon.api('v1/jobs?status=running')).data.map((job) => job.id);
  await waitFor('a list without gaps', async () => String(await ids()) === String([...running, ...newest]));
});

test('going back finds the list as it was left', async () => {
  await open();
  await showOlder().click();
  await waitFor('a longer list', async () => (await rows().count()) > 100);
  await rows().nth(80).scrollIntoViewIfNeeded();
  const top = await page.evaluate(() => scrollY);
  assert.ok(top > 1000);
  await page.waitForFunction((y) => history.state?.top === y, top);
  await page.evaluate(() => document.querySelectorAll('.run-link')[80].click());
  await page.locator('.run-head').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  assert.ok((await page.evaluate(() => scrollY)) < 100);
  await page.goBack();
  await waitFor('the longer list', async () => (await rows().count()) > 100);
  assert.equal(await page.evaluate(() => scrollY), top);
  await page.keyboard.press('n');
  await page.keyboard.press('g');
  await waitFor('a new visit', async () => (await rows().count()) < 60);
});

test('a long name takes two lines, and the table fits its card at every width', async () => {
  await open();
  for (const width of [400, 641, 761, 955, 1001]) {
    await page.setViewportSize({ width, height: 800 });
    await rows().first().waitFor();
    const card = await page.locator('.table-card').evaluate((el) => [el.scrollWidth, el.clientWidth]);
    assert.equal(card[0], card[1], `at ${width}`);
    assert.ok((await rows().first().boundingBox()).height < (width < 760 ? 140 : 110), `at ${width}`);
  }
  await page.locator('.run-link').first().click();
  const heading = page.locator('h1');
  await page.locator('.run-head').waitFor();
  assert.ok((await heading.boundingBox()).height < 70);
  assert.match(await heading.getAttribute('title'), /^\d+ (long-name-){12}/);
});

test('while the daemon is away the header says so; what was opened then comes when it does', async () => {
  const { id } = (await daemon.api('v1/jobs?limit=1')).data[0];
  await open('#/', { allow: AWAY });
  await rows().first().waitFor();
  const heading = (name) => page.getByRole('heading', { name });
  const lost = page.getByRole('status').filter({ hasText: 'not connected' });
  let back = await lose((route) => route.abort());
  await lost.waitFor();
  await showOlder().click();
  await page.locator('.toast.error').waitFor();
  await page.keyboard.press('n');
  await heading('Waiting for the daemon').waitFor();
  await back();
  await heading('This run').waitFor();
  await lost.waitFor({ state: 'hidden' });

  back = await lose((route) => route.fulfill({ status: 503, json: { title: 'stopping' } }));
  await page.evaluate((to) => { location.hash = to; }, `#/runs/${id}`);
  await heading('Waiting for the daemon').waitFor();
  await back();
  await heading('Latent units').waitFor();
});

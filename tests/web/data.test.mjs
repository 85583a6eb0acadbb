// The page of data sets: one is dropped, refused, looked at, deleted; and what of a run may change while it runs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { indicesOf, moved, span } from '../../web/lib/pager.js';
import { balanceWords, heights } from '../../web/panels/balance.js';
import { nameOf, typeOf } from '../../web/views/data.js';
import { closePage, launch, openPage, startDaemon, waitFor } from './harness.mjs';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const REFUSED = /status of (400|422)/; // what the daemon refuses, the browser notes

let daemon;
let browser;
let page;
let dir;

/** The four IDX files of a small data set, as a tar. */
function makeTar() {
  const set = path.join(dir, 'tiny set');
  mkdirSync(set);
  for (const split of ['train', 't10k']) {
    const images = Buffer.alloc(16 + 40 * 64, 90);
    Buffer.from([0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 8, 0, 0, 0, 8]).copy(images);
    const labels = Buffer.alloc(8 + 40);
    Buffer.from([0, 0, 8, 1, 0, 0, 0, 40]).copy(labels);
    labels[9] = 1;
    writeFileSync(path.join(set, `${split}-images-idx3-ubyte`), images);
    writeFileSync(path.join(set, `${split}-labels-idx1-ubyte`), labels);
  }
  writeFileSync(path.join(set, 'labels.txt'), 'sock\n<b>shoe</b>\n');
  execFileSync('tar', ['-C', dir, '-czf', path.join(dir, 'tiny set.tar.gz'), 'tiny set']);
  return readFileSync(path.join(dir, 'tiny set.tar.gz'));
}

before(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'latentd-data-'));
  [daemon, browser] = await Promise.all([startDaemon(), launch()]);
});
after(async () => {
  await browser?.close();
  await daemon?.stop();
  rmSync(dir, { recursive: true, force: true });
});
afterEach(async (t) => {
  const complaints = page?.complaints ?? [];
  await closePage(page);
  page = null;
  assert.deepEqual(complaints, [], `console of '${t.name}'`);
});

const edit = () => page.locator('form', { has: page.getByRole('heading', { name: 'Change while it runs' }) });
const field = (name) => edit().getByRole('textbox', { name: new RegExp(`^${name}\\b`) });

test('a file\'s name becomes a data set\'s, and its type', () => {
  const cases = [['pets.tar', 'pets'], ['pets v2.tar.gz', 'pets-v2'], ['.hidden.tgz', 'hidden'], ['Bär.tar', 'B-r'], [`${'n'.repeat(80)}.tar`, 'n'.repeat(64)]];
  for (const [file, name] of cases) assert.equal(nameOf(file), name);
  assert.equal(typeOf('a.tar'), 'application/x-tar');
  assert.equal(typeOf('a.tgz'), 'application/gzip');
});

test('a data set is uploaded, shown, and deleted again', async () => {
  page = await openPage(browser, `${daemon.url}#/data`, { allow: REFUSED, bypassCSP: true }); // for axe
  await page.getByRole('region', { name: 'fashion-mnist' }).locator('canvas[data-shown]').waitFor();
  const upload = page.getByRole('button', { name: 'Upload' });
  assert.ok(await upload.isDisabled());
  await page.locator('#tar').setInputFiles({ name: 'nothing.tar', mimeType: 'application/x-tar', buffer: Buffer.from('no tar') });
  await upload.click();
  await page.getByRole('alert').filter({ hasText: 'this is no tar archive' }).waitFor();
  await page.locator('#tar').setInputFiles({ name: 'tiny set.tar.gz', mimeType: 'application/gzip', buffer: makeTar() });
  assert.equal(await page.locator('#tar-name').inputValue(), 'tiny-set');
  await upload.click();
  const card = page.getByRole('region', { name: 'tiny-set' });
  await card.locator('canvas[data-shown]').waitFor();
  assert.match(await card.textContent(), /8 × 8 gray · 40 to learn from, 40 to test with.*2 classes, 1 to 39 images: sock, <b>shoe<\/b>/);
  await card.getByRole('img', { name: 'Class balance: 2 classes, 1 to 39 images' }).waitFor();
  await page.addScriptTag({ content: readFileSync(axePath, 'utf8') }).catch(() => {});
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id), []);
  await card.getByRole('link', { name: 'tiny-set' }).click();
  await page.getByRole('region', { name: 'Runs' }).getByText('None yet.').waitFor();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Delete the data set' }).click();
  await page.getByRole('heading', { name: 'Data sets' }).waitFor();
  await page.getByRole('region', { name: 'fashion-mnist' }).waitFor();
  assert.equal(await card.count(), 0);
  assert.ok(!(await daemon.api('v1/datasets')).data.some((set) => set.name === 'tiny-set'));
});

test('pages of images: what they hold, and the cells that keys lead to', () => {
  assert.deepEqual(span(0, 100, 250), { page: 0, pages: 3, first: 0, last: 100 });
  assert.deepEqual(span(9, 100, 250), { page: 2, pages: 3, first: 200, last: 250 });
  assert.deepEqual(span(0, 100, 0), { page: 0, pages: 1, first: 0, last: 0 });
  assert.deepEqual(indicesOf([3, 1, 3, 0], 3), [0, 2]);
  assert.equal(moved(0, 'ArrowDown', 20, 50), 20);
  assert.equal(moved(45, 'ArrowDown', 20, 50), null);
  assert.equal(moved(0, 'ArrowLeft', 20, 50), null);
  assert.equal(balanceWords([5, 5]), '2 classes, 5 images each');
  assert.deepEqual(heights([1, 4]), [0.25, 1]);
});

test('a data set is browsed by split, class and page, with keys, and the address keeps the place', async () => {
  const { id } = await daemon.api('v1/jobs', { kind: 'ae', name: 'learnt <b>from it', params: { train_limit: 500, epochs: 1 } });
  page = await openPage(browser, `${daemon.url}#/data/fashion-mnist`, { bypassCSP: true });
  const images = page.getByRole('region', { name: 'Images' });
  const sheet = images.locator('canvas[data-shown]');
  const drawn = () => sheet.getAttribute('data-shown').then(Number);
  await sheet.waitFor();
  await images.getByText('1 – 100 of 60,000').waitFor();
  await page.getByRole('row', { name: /^Sneaker 6,000 1,000 10%$/ }).waitFor();
  await page.getByRole('region', { name: 'Runs' }).getByRole('link', { name: 'learnt <b>from it' }).waitFor();

  await page.locator('h1').click();
  await page.keyboard.press('ArrowRight');
  await images.getByText('101 – 200 of 60,000').waitFor();
  await images.getByRole('combobox', { name: 'Split' }).selectOption('test');
  await page.getByRole('button', { name: 'Sneaker' }).click();
  await images.getByText('1 – 100 of 1,000').waitFor();
  await waitFor('the images of the class', async () => /Sneaker/.test(await sheet.getAttribute('aria-label')));
  const before = await drawn();
  await images.getByRole('button', { name: 'Next page' }).click();
  await waitFor('the next page', async () => (await drawn()) > before);
  const { label } = await daemon.api('v1/datasets/fashion-mnist/labels?split=test');
  const sneakers = label.flatMap((one, i) => (one === 7 ? [i] : []));
  await images.getByRole('group').focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
  await images.getByText(`test ${sneakers[121].toLocaleString('en')}: Sneaker`).waitFor();

  await page.reload();
  await images.getByText('101 – 200 of 1,000').waitFor();
  assert.equal(await images.getByRole('combobox', { name: 'Class' }).inputValue(), '7');
  await page.addScriptTag({ content: readFileSync(axePath, 'utf8') }).catch(() => {});
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id), []);
  await daemon.api(`v1/jobs/${id}/cancel`, {});
});

test('what is live in a run can be changed beside its curve', async () => {
  const { id } = await daemon.api('v1/jobs', { kind: 'vae', params: { train_limit: 6000, epochs: 2000, latent_dim: 2 } });
  page = await openPage(browser, `${daemon.url}#/runs/${id}`, { allow: REFUSED });
  await field('lr').waitFor();
  assert.equal(await edit().locator('input').count(), 3);
  const apply = page.getByRole('button', { name: 'Apply', exact: true });
  assert.ok(await apply.isDisabled());
  await field('lr').fill('fast');
  await apply.click();
  await edit().locator('.error', { hasText: 'must be a number' }).waitFor();
  await field('lr').fill('0.0004');
  await field('beta').fill('3');
  await apply.click();
  const job = () => daemon.api(`v1/jobs/${id}`);
  await waitFor('the new values', async () => (await job()).params.lr === 0.0004 && (await job()).params.beta === 3);
  await page.locator('.params dd', { hasText: /^0\.0004$/ }).waitFor();
  assert.ok(await apply.isDisabled());
  await daemon.api(`v1/jobs/${id}/cancel`, {});
  await edit().waitFor({ state: 'hidden' });
});

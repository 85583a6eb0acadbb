// session.mjs: the daemon, the browser and the page that the tests of a file share, and words for what a page shows.
//
// `session()` once at the top of a file. After each test its page is closed, what the browser complained of fails it, and runs
// that it left are cancelled: they are not the next one's business.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before } from 'node:test';
import { closePage, launch, openPage, startDaemon } from './harness.mjs';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export let daemon;
export let browser;
export let page;

/** `args` of the daemon; `prepare` runs before the first test; `tidy`: what runs between tests is cancelled. */
export function session({ args = [], prepare = async () => {}, tidy = true } = {}) {
  before(async () => {
    [daemon, browser] = await Promise.all([startDaemon({ args }), launch()]);
    await prepare();
  });
  after(async () => {
    await browser?.close();
    await daemon?.stop();
  });
  afterEach(async (t) => {
    const complaints = page?.complaints ?? [];
    await closePage(page);
    page = null;
    if (tidy) await cancelAll();
    assert.deepEqual(complaints, [], `console of '${t.name}'`);
  });
}

async function cancelAll() {
  const { data } = await daemon.api('v1/jobs?status=queued,running,paused');
  await Promise.all(data.map((job) => cancel(job.id)));
}

/** A page of the dashboard by its hash, or an address. */
export async function open(where = '#/', options = {}) {
  page = await openPage(browser, where.startsWith('#') ? daemon.url + where : where, options);
  return page;
}

export const finished = (id) => daemon.api(`v1/jobs/${id}?wait_s=60`);
export const cancel = (id) => daemon.api(`v1/jobs/${id}/cancel`, {}).catch(() => {});
export const pill = (text) => page.locator('.run-head .pill', { hasText: text }).waitFor({ timeout: 60000 });
export const box = (name) => page.getByRole('textbox', { name: new RegExp(`^${name}\\b`) });
export const chart = () => page.locator('.chart').first(); // what stands for the run
export const points = async () => Number(await chart().getAttribute('data-points'));
export const decoded = () => page.locator('canvas.decoded');

export async function cancelHere() {
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel the run' }).click();
}

/** What axe-core finds on the page and calls serious. The page's own policy would refuse the script: open with bypassCSP. */
export async function seriousViolations() {
  await page.addScriptTag({ content: await readFile(axePath, 'utf8') }).catch(() => {});
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return result.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(' | ')}`);
}

export const REFUSED = /status of 422/; // the form asks the daemon whether its fields are right, and the browser notes each no
// While the daemon is away, and while the run waits to go on and has no weights to decode with.
export const LOST = /status of 409|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET/;

// A run of seconds: some 14 steps an epoch.
export const QUICK = { kind: 'ae', params: { train_limit: 2000, epochs: 3, latent_dim: 2 } };
// A run that is still going when the test has seen enough.
export const LONG = { kind: 'ae', params: { train_limit: 20000, epochs: 2000, latent_dim: 4 } };

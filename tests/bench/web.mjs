// How fluid the dashboard is: with 200 runs, one of them at work, and with a curve of 1,000,000 points. `make bench-web`; POINTS=100000: shorter.
//
// Each line is a figure beside its goal. Times are Chromium's own: its trace of the main thread's tasks, its timing of events (from
// the input to the next frame, in steps of 8 ms). Leave the machine alone meanwhile.
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { launch, startDaemon, waitFor } from '../web/harness.mjs';
import { firstPaint, median, mostWork, slowestEvent, tracedTasks, watchPage } from '../web/measure.mjs';

const POINTS = process.env.POINTS ?? '1000000';
const RUNS = 200;
const DONE = 30; // of them have been trained
const WATCH_MS = 10000;

let missed = 0;
function row(what, value, goal, { unit = 'ms', more = '' } = {}) {
  const good = value < goal;
  if (!good) missed += 1;
  console.log(`${what.padEnd(56)} ${value.toFixed(0).padStart(5)} ${unit}   goal < ${`${goal}`.padEnd(4)} ${good ? '      ' : 'MISSED'} ${more}`);
}

/** A run with a long curve, written by the store's own functions. */
async function longCurve(data) {
  await mkdir(data, { recursive: true });
  await promisify(execFile)(process.env.LONG_CURVE ?? 'build/release/tests/server/store/blocks', { env: { ...process.env, POINTS, KEEP: data } });
}

/** RUNS - 2 that have ended, one at work, and the long one. */
async function manyRuns(daemon) {
  await daemon.api('v1/queue/pause', {});
  const jobs = [];
  for (let i = 0; i < RUNS - 2; i++) {
    const params = { train_limit: 500, epochs: 4, latent_dim: 2 };
    jobs.push(await daemon.api('v1/jobs', { kind: i % 3 ? 'ae' : 'vae', name: `run-${String(i).padStart(3, '0')}`, params }));
  }
  for (const { id } of jobs.slice(DONE)) await daemon.api(`v1/jobs/${id}/cancel`, {});
  await daemon.api('v1/queue/resume', {});
  for (const { id } of jobs.slice(0, DONE)) await daemon.api(`v1/jobs/${id}?wait_s=100`);
  return daemon.api('v1/jobs', { kind: 'vae', name: 'at-work', params: { train_limit: 20000, epochs: 2000, latent_dim: 2 } });
}

async function newPage(browser, url) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await watchPage(page);
  await page.goto(url);
  return page;
}

/** `act` again and again with a frame between: the slowest of its events. */
async function interaction(page, what, act, times = 8) {
  await slowestEvent(page);
  const tasks = await tracedTasks(browser, page, async () => {
    for (let i = 0; i < times; i++) {
      await act(i);
      await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => resolve()); }));
    }
  });
  const { name, duration } = await slowestEvent(page);
  row(what, duration, 50, { more: `${name && `${name}, `}most work in a task: ${mostWork(tasks).toFixed(0)} ms` });
}

async function streaming(browser, page, what) {
  const tasks = await tracedTasks(browser, page, () => sleep(WATCH_MS));
  row(`${what}: the longest task in ${WATCH_MS / 1000} s`, tasks[0]?.ms ?? 0, 200, { more: `most work: ${mostWork(tasks).toFixed(0)} ms` });
}

async function coldPaint(daemon) {
  const paints = [];
  for (let i = 0; i < 5; i++) {
    await daemon.kill('SIGTERM');
    const browser = await launch();
    await daemon.start();
    const page = await newPage(browser, `${daemon.url}#/`);
    paints.push(await firstPaint(page));
    await browser.close();
  }
  row('first contentful paint, cold daemon and browser, 200 runs (of five)', median(paints), 1000);
}

async function firstView(page) {
  const bytes = await page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => !name.includes('/v1/'))
    .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, performance.getEntriesByType('navigation')[0].decodedBodySize));
  row('what the first view fetches, before compression', bytes / 1000, 150, { unit: 'kB' });
}

async function runsView(browser, daemon) {
  const page = await newPage(browser, `${daemon.url}#/`);
  await waitFor('the runs', async () => (await page.locator('.run-link').count()) >= 50, 30000);
  await firstView(page);
  const older = page.getByRole('button', { name: /older/ });
  while (await older.isVisible()) {
    const before = await page.locator('.run-link').count();
    await older.click();
    await waitFor('more of them', async () => (await page.locator('.run-link').count()) > before, 30000);
  }
  console.log(`${await page.locator('.run-link').count()} runs are listed`);
  await streaming(browser, page, 'runs, live');
  const filter = page.getByRole('searchbox').or(page.getByPlaceholder('Filter')).first();
  await filter.focus();
  await interaction(page, 'runs: a letter of the filter', (i) => page.keyboard.press(['r', 'u', 'n', 'Backspace', 'Backspace', 'Backspace', 'v', 'Backspace'][i]));
  const heads = page.locator('thead th button');
  const sorts = await heads.count();
  if (sorts) await interaction(page, 'runs: sort by a column', (i) => heads.nth(i % sorts).click());
  await page.evaluate(() => scrollTo(0, 0));
  await interaction(page, 'runs: select one', (i) => page.locator('tbody input[type=checkbox]').nth(i + 1).click());
  await interaction(page, 'runs: hover', (i) => page.locator('.run-link').nth(i + 1).hover());
  await page.context().close();
}

async function chartInteractions(page, what) {
  const chart = page.locator('.chart .u-over').first();
  await chart.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await chart.boundingBox();
  await interaction(page, `${what}: the cursor`, (i) => page.mouse.move(x + ((i + 1) * width) / 40, y + height / 2), 30);
  await interaction(page, `${what}: logarithmic and back`, () => page.getByRole('checkbox', { name: 'log scale' }).first().click(), 4);
  await interaction(page, `${what}: a curve away and back`, () => page.locator('button.legend').first().click(), 4);
  const smooth = page.getByRole('slider', { name: /smooth/i }).first();
  if (await smooth.count()) {
    await smooth.focus();
    await interaction(page, `${what}: smoother`, () => page.keyboard.press('ArrowRight'));
  }
}

async function runView(browser, daemon, id, what, enough) {
  const page = await newPage(browser, 'about:blank');
  const opening = await tracedTasks(browser, page, async () => {
    await page.goto(`${daemon.url}#/runs/${id}`);
    await waitFor('its curve', async () => Number(await page.locator('.chart').first().getAttribute('data-points')) > enough, 60000);
  });
  row(`${what}: the longest task while it opens`, opening[0].ms, 200, { more: `most work: ${mostWork(opening).toFixed(0)} ms` });
  await streaming(browser, page, `${what}, live`);
  await chartInteractions(page, what);
  await page.context().close();
}

const daemon = await startDaemon({ args: ['--workers', '2'], fill: longCurve });
const browser = await launch();
try {
  const working = await manyRuns(daemon);
  await coldPaint(daemon);
  await runsView(browser, daemon);
  await runView(browser, daemon, working.id, 'a run at work', 50);
  const long = await daemon.api('v1/jobs/long');
  await runView(browser, daemon, long.id, `a curve of ${POINTS} points`, 1000);
} finally {
  await browser.close();
  await daemon.stop();
}
if (missed) console.log(`${missed} missed`);
process.exitCode = missed ? 1 : 0;

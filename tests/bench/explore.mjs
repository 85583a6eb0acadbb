// How many decoded images a second a hand sees that leads a code about on the map, while one job trains with --threads 1, and how much
// that slows the training: node tests/bench/explore.mjs [ROUNDS], by `make bench-web`. Takes about a minute and needs two idle cores.
//
// ROUNDS pairs of windows in turn, with and without a drag, so that what else happens on the machine is in both. A frame counts when
// another image was on the canvas than in the frame before it.

import { launch, openPage, startDaemon, waitFor } from '../web/harness.mjs';

const rounds = Number(process.argv[2] ?? 5);
const WINDOW_MS = 4000;
const MOVE_MS = 6; // between movements of the hand: more often than frames
const GOAL = 55;

const daemon = await startDaemon({ args: ['--threads', '1', '--workers', '1'] });
const browser = await launch();

const step = async (id) => (await daemon.api(`v1/jobs/${id}`)).progress.step;

/** In the page: frames, those with another image, and the longest task, until stop(). */
const watch = () => {
  const canvas = document.querySelector('.explore-decoded canvas');
  const seen = { frames: 0, images: 0, decoded: Number(canvas.dataset.shown), longest: 0, on: true };
  let last = canvas.dataset.shown;
  const look = () => {
    seen.frames += 1;
    if (canvas.dataset.shown !== last) seen.images += 1;
    last = canvas.dataset.shown;
    if (seen.on) requestAnimationFrame(look);
  };
  const tasks = new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) seen.longest = Math.max(seen.longest, duration); });
  tasks.observe({ entryTypes: ['longtask'] });
  requestAnimationFrame(look);
  window.stopWatching = () => {
    seen.on = false;
    tasks.disconnect();
    return { ...seen, decoded: Number(canvas.dataset.shown) - seen.decoded };
  };
};

/** Leads the code about for a window's time, the way a hand does: movements are sent, not waited for. */
async function drag(page) {
  const { x, y, width, height } = await page.locator('.scatter').boundingBox();
  const client = await page.context().newCDPSession(page);
  const send = (type, t) => client.send('Input.dispatchMouseEvent', { type, button: 'left', buttons: 1, clickCount: 1,
    x: x + width * (0.5 + 0.3 * Math.cos(t / 400)), y: y + height * (0.5 + 0.3 * Math.sin(t / 310)) });
  await page.evaluate(watch);
  await send('mousePressed', 0);
  const begun = performance.now();
  for (let t = 0; t < WINDOW_MS; t = performance.now() - begun) {
    send('mouseMoved', t).catch(() => {});
    await new Promise((resolve) => { setTimeout(resolve, MOVE_MS); });
  }
  await send('mouseReleased', WINDOW_MS);
  const took = performance.now() - begun;
  const seen = await page.evaluate(() => window.stopWatching());
  await client.detach();
  return { ...seen, took };
}

async function window_(id, act) {
  const [from, begun] = [await step(id), performance.now()];
  const seen = await act();
  return { steps: (await step(id)) - from, took: performance.now() - begun, seen };
}

try {
  const { id } = await daemon.api('v1/jobs', { kind: 'ae', params: { epochs: 100000, latent_dim: 8, preview_every_epochs: 0 } });
  await waitFor('training', async () => (await step(id)) > 100, 60000);
  const page = await openPage(browser, `${daemon.url}#/explore/${id}`);
  await waitFor('the map', async () => Number(await page.locator('.scatter').getAttribute('data-points')) > 9000, 60000);
  await drag(page);
  const sums = { calm: 0, calmMs: 0, busy: 0, busyMs: 0, images: 0, decoded: 0, ms: 0, frames: 0, longest: 0 };
  for (let i = 0; i < rounds; i++) {
    const calm = await window_(id, () => new Promise((resolve) => { setTimeout(resolve, WINDOW_MS); }));
    const busy = await window_(id, () => drag(page));
    sums.calm += calm.steps;
    sums.calmMs += calm.took;
    sums.busy += busy.steps;
    sums.busyMs += busy.took;
    sums.ms += busy.seen.took;
    for (const name of ['images', 'decoded', 'frames']) sums[name] += busy.seen[name];
    sums.longest = Math.max(sums.longest, busy.seen.longest);
  }
  const rate = (n) => ((1000 * n) / sums.ms).toFixed(1);
  const slower = 100 * (1 - (sums.busy / sums.busyMs) / (sums.calm / sums.calmMs));
  console.log(`explorer beside a job with --threads 1: ${rate(sums.images)} decoded images seen a second (goal: >= ${GOAL}) of ${rate(sums.frames)} frames, `
    + `${rate(sums.decoded)} decoded; longest task ${sums.longest.toFixed(0)} ms`);
  console.log(`training meanwhile: ${((1000 * sums.busy) / sums.busyMs).toFixed(1)} steps/s, without ${((1000 * sums.calm) / sums.calmMs).toFixed(1)}: ${slower.toFixed(1)} % slower`);
} finally {
  await browser.close();
  await daemon.stop();
}

// Takes README's and the manual's pictures: node tests/web/screenshot.mjs [FOLDER], by default deploy/. Real runs, as one would make
// them; some minutes. dashboard.png: a run at two thirds of its epochs; explorer.png; compare.png.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, openPage, startDaemon, waitFor } from './harness.mjs';

const LONG = 1200000;
const folder = process.argv[2] ?? path.join(fileURLToPath(new URL('../..', import.meta.url)), 'deploy');
const daemon = await startDaemon();
const browser = await launch();
const submit = (body) => daemon.api('v1/jobs', body);
const finished = (job) => waitFor(job.name, async () => (await daemon.api(`v1/jobs/${job.id}?wait_s=60`)).status === 'succeeded', LONG);

async function open(hash, height) {
  return openPage(browser, daemon.url + hash, { viewport: { width: 1280, height } });
}

async function take(page, name) {
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  console.log(name);
  await page.context().close();
}

async function explorer(job) {
  const page = await open(`#/explore/${job.id}`, 1000);
  const map = page.getByRole('application', { name: 'Map of the codes' });
  await waitFor('the map', async () => Number(await map.getAttribute('data-points')) > 9900, 60000);
  const box = await map.boundingBox();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.5 * box.height);
  await page.mouse.down();
  for (let i = 1; i <= 10; i += 1) await page.mouse.move(box.x + (0.5 + 0.012 * i) * box.width, box.y + (0.5 - 0.006 * i) * box.height);
  await page.mouse.up();
  await page.waitForLoadState('networkidle');
  await take(page, 'explorer');
}

async function compare(...jobs) {
  const page = await open(`#/compare/${jobs.map(({ id }) => id)}`, 1000);
  await waitFor('the curves', async () => Number(await page.locator('.compared .chart').first().getAttribute('data-points')) > 100, 60000);
  await page.waitForLoadState('networkidle');
  await take(page, 'compare');
}

async function dashboard() {
  const job = await submit({ kind: 'ae', name: 'shoes-and-shirts', params: { epochs: 30 } });
  const page = await open(`#/runs/${job.id}`, 1060);
  await waitFor('two thirds of the run', async () => (await daemon.api(`v1/jobs/${job.id}`)).progress.epoch >= 20, LONG);
  await take(page, 'dashboard');
}

try {
  const smooth = await submit({ kind: 'vae', name: 'beta-1', params: { latent_dim: 2, epochs: 20 } });
  const smoother = await submit({ kind: 'vae', name: 'beta-4', params: { latent_dim: 2, beta: 4, epochs: 20 } });
  await finished(smooth);
  await finished(smoother);
  await explorer(smooth);
  await compare(smooth, smoother);
  await dashboard();
} finally {
  await browser.close();
  await daemon.stop();
}

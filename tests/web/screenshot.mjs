// Takes the README's picture of the dashboard: node tests/web/screenshot.mjs [FILE], by default deploy/dashboard.png.
// A real run of the default autoencoder, seen at about two thirds of its 30 epochs.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, openPage, startDaemon, waitFor } from './harness.mjs';

const file = process.argv[2] ?? path.join(fileURLToPath(new URL('../..', import.meta.url)), 'deploy/dashboard.png');
const daemon = await startDaemon();
const browser = await launch();
try {
  const job = await daemon.api('v1/jobs', { kind: 'ae', name: 'shoes-and-shirts', params: { epochs: 30 } });
  const page = await openPage(browser, `${daemon.url}#/runs/${job.id}`, { viewport: { width: 1280, height: 1060 } });
  const epoch = async () => (await daemon.api(`v1/jobs/${job.id}`)).progress.epoch;
  await waitFor('two thirds of the run', async () => (await epoch()) >= 20, 300000);
  await page.screenshot({ path: file });
  console.log(file);
} finally {
  await browser.close();
  await daemon.stop();
}

// views.mjs: every address of the page, with what a scene (scene.mjs) has there, and words for looking at any of them.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from './harness.mjs';

export const SHOTS = path.join(fileURLToPath(new URL('../..', import.meta.url)), 'build/screenshots');
await mkdir(SHOTS, { recursive: true });

/** [name, where]: below the daemon's address. */
export const views = (made) => [
  ['runs', '#/'],
  ['run', `#/runs/${made.vae.id}`],
  ['run-pair', `#/runs/${made.gan.id}`],
  ['run-classes', `#/runs/${made.head.id}`],
  ['compare', `#/compare/${made.vae.id},${made.other.id}`],
  ['explore', `#/explore/${made.vae.id}`],
  ['explore-noise', `#/explore/${made.gan.id}`],
  ['map', `#/map/${made.tsne.id}`],
  ['study', `#/study/${made.study.id}`],
  ['repeats', `#/study/${made.repeats.id}`],
  ['new', '#/new/vae'],
  ['data', '#/data'],
  ['dataset', '#/data/fashion-mnist'],
  ['nowhere', '#/nowhere'],
];
export const manual = ['', 'curl.html', 'kinds.html', 'results.html'].map((file) => [`manual-${file.replace('.html', '') || 'index'}`, `docs/${file}`]);

const STREAM = /\/events(\?|$)/;

/** Counts what the page has asked for and not got yet; streams never end. */
export function watchRequests(page) {
  let pending = 0;
  const counted = (request) => !STREAM.test(request.url());
  page.on('request', (request) => { if (counted(request)) pending += 1; });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => { if (counted(request)) pending -= 1; });
  return () => pending;
}

/** Until the view has its heading and nothing is on its way, for three looks in a row. */
export async function settled(page, pending) {
  await page.locator('main h1').first().waitFor();
  let quiet = 0;
  await waitFor('a page at rest', async () => {
    quiet = pending() <= 0 && !(await page.locator('[aria-busy="true"]').count()) ? quiet + 1 : 0;
    return quiet >= 8;
  }, 60000);
}

/** Of the page: 0 where it does not scroll sideways; else what sticks out most. */
export const sideways = (page) => page.evaluate(() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return 0;
  const inScroller = (node) => node && (/auto|scroll|hidden/.test(getComputedStyle(node).overflowX) || inScroller(node.parentElement));
  const out = [...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !inScroller(node.parentElement));
  return `${over} px: ${out.slice(0, 3).map((node) => `${node.tagName.toLowerCase()}.${node.className}`).join(', ')}`;
});

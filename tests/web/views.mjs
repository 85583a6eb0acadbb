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
  ['explore-list', '#/explore'],
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
/** The longest pages are looked at with SCREENSHOTS only. */
export const manual = ['', 'curl.html', ...(process.env.SCREENSHOTS ? ['kinds.html', 'api.html', 'results.html'] : [])].map((file) => [`manual-${file.replace('.html', '') || 'index'}`, `docs/${file}`]);

const STREAM = /\/events(\?|$)/;

/** Counts what the page has asked for and not got yet; streams never end. */
export function watchRequests(page) {
  let pending = 0;
  const counted = (request) => !STREAM.test(request.url());
  page.on('request', (request) => { if (counted(request)) pending += 1; });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => { if (counted(request)) pending -= 1; });
  return () => pending;
}

/** Until the view has its heading and nothing is on its way, for so many looks in a row. */
export async function settled(page, pending, looks = 8) {
  await page.locator('main h1').first().waitFor();
  let quiet = 0;
  await waitFor('a page at rest', async () => {
    quiet = pending() <= 0 && !(await page.locator('[aria-busy="true"]').count()) ? quiet + 1 : 0;
    return quiet >= looks;
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

/** Controls that lie over each other, by more than a border. What is fixed or sticks lies over what scrolls beneath it. */
export const overlaps = (page) => page.evaluate(() => {
  const floats = (node) => node && (/fixed|sticky|absolute/.test(getComputedStyle(node).position) || floats(node.parentElement));
  // What a scroller does not show now is nowhere.
  const shown = (node) => {
    const box = node.getBoundingClientRect();
    const seen = { left: box.left, top: box.top, right: box.right, bottom: box.bottom };
    for (let up = node.parentElement; up; up = up.parentElement) {
      if (!/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflow)) continue;
      const frame = up.getBoundingClientRect();
      seen.left = Math.max(seen.left, frame.left);
      seen.top = Math.max(seen.top, frame.top);
      seen.right = Math.min(seen.right, frame.right);
      seen.bottom = Math.min(seen.bottom, frame.bottom);
    }
    return seen;
  };
  const seen = [...document.querySelectorAll('main input, main select, main textarea, main button, main label')]
    .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !floats(node))
    .map((node) => ({ node, box: shown(node) })).filter(({ box }) => box.right - box.left > 1 && box.bottom - box.top > 1);
  const words = ({ node }) => `${node.tagName.toLowerCase()}#${node.id || node.className} "${node.textContent.slice(0, 20)}"`;
  const over = (a, b) => Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 3
    && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 3;
  const found = [];
  seen.forEach((a, i) => seen.slice(i + 1).forEach((b) => {
    if (!a.node.contains(b.node) && !b.node.contains(a.node) && over(a, b)) found.push(`${words(a)} and ${words(b)}`);
  }));
  return found.slice(0, 4);
});

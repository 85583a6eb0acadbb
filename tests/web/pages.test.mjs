// Every view, and the manual: at three widths in both themes, for those who only look on, by keyboard alone, with a token below a
// path prefix. `make screenshots` (SCREENSHOTS=1) takes the picture of each at each width in each theme; ONLY=regexp: of some.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { closePage, launch, openPage, startDaemon } from './harness.mjs';
import { scene } from './scene.mjs';
import { manual, overlaps, settled, SHOTS, sideways, views, watchRequests } from './views.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ALL = Boolean(process.env.SCREENSHOTS);
const WIDTHS = [1440, 768, 360];
const THEMES = ['light', 'dark'];
const MARK = ALL ? '' : ' <img src=x onerror=document.title=1>'; // names that would like to be markup
const TOKEN = 'for-eyes-only-0123456789';
const PREFIX = '/deep/latentd';
// Refused on the way, and answered with what the page can do: no run is there, the form asks whether its fields are right.
const ANSWERED = /status of (404|409|422)/;

let daemon;
let browser;
let made;
let dir;
const args = [];

before(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'latentd-pages-'));
  writeFileSync(path.join(dir, 'token'), `${TOKEN}\n`, { mode: 0o600 });
  [daemon, browser] = await Promise.all([startDaemon({ args }), launch()]);
  made = await scene(daemon, { mark: MARK });
  await daemon.api(`v1/jobs/${made.running.id}/pause`, {});
});
after(async () => {
  await browser?.close();
  await daemon?.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function axeFinds(page) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`).join(' | ')}`);
}

/** A page with a view that has come to rest. */
async function openView(where, options = {}) {
  const page = await openPage(browser, 'about:blank', { allow: ANSWERED, viewport: { width: 1440, height: 900 }, ...options });
  page.pending = watchRequests(page);
  await page.goto(options.base ? options.base + where : daemon.url + where);
  await settled(page, page.pending);
  return page;
}

/** All that is wrong with every view, by `look`, a line each. */
async function faults(list, look, options) {
  const found = [];
  for (const [name, where] of list.filter(([one]) => new RegExp(process.env.ONLY ?? '').test(one))) {
    const page = await openView(where, options);
    const say = (text) => found.push(`${name}: ${text}`);
    await look(page, say, name).catch((error) => say(error.message));
    for (const text of page.complaints) say(text);
    await closePage(page);
  }
  return found;
}

// --- keyboard ----------------------------------------------------------------------------------------------------------------

/** What Tab should reach: of a group of radio buttons one. */
const reachable = () => {
  const groups = new Set();
  return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter((node) => {
    if (node.disabled || node.tabIndex < 0 || !node.checkVisibility({ visibilityProperty: true })) return false;
    if (node.type !== 'radio') return true;
    const first = !groups.has(node.name);
    groups.add(node.name);
    return first;
  });
};

/** Where the focus is, and whether one sees it. */
const focused = () => {
  const node = document.activeElement;
  window.reached.add(node.type === 'radio' ? document.querySelector(`input[name="${CSS.escape(node.name)}"]`) : node);
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
  const seen = node === document.body || (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
  return seen ? '' : `${node.tagName.toLowerCase()}.${node.className} ${node.textContent.slice(0, 30)}`;
};

/** Tab, until every control has had its turn. */
async function tabThrough(page, say) {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.evaluate(() => { window.reached = new Set(); document.activeElement.blur(); });
  const count = await page.evaluate(`(${reachable})().length`);
  const unseen = new Set();
  for (let i = 0; i < count + 10; i += 1) {
    await page.keyboard.press('Tab');
    unseen.add(await page.evaluate(focused));
  }
  unseen.delete('');
  if (unseen.size) say(`the focus is not seen on ${[...unseen]}`);
  const missed = await page.evaluate(`(${reachable})().filter((node) => !window.reached.has(node)).map((node) => node.outerHTML.slice(0, 120))`);
  if (missed.length) say(`not reached by Tab: ${missed}`);
}

/** Each view in one theme and width by turns, what they change being the sheet's; with SCREENSHOTS in all of them. */
const asked = (turn, theme, width) => ALL || [['light', 1440], ['dark', 360]].some(([t, w], i) => i === turn % 2 && t === theme && w === width);

const AXED = ['runs', 'run', 'compare', 'explore', 'map', 'study', 'new']; // by the tests of their own, in both themes

let turn = 0;
async function lookAtAll(page, say, name) {
  turn += 1;
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of WIDTHS) {
      if (!ALL && theme === 'dark' && !asked(turn, theme, width)) continue;
      await page.setViewportSize({ width, height: 900 });
      await settled(page, page.pending, 3);
      const over = await sideways(page);
      if (over) say(`at ${width}: sideways by ${over}`);
      for (const pair of await overlaps(page)) say(`at ${width}: over each other: ${pair}`);
      if (!asked(turn, theme, width)) continue;
      if (ALL || !AXED.includes(name)) for (const text of await axeFinds(page)) say(`at ${width} in ${theme}: ${text}`);
      await page.screenshot({ path: path.join(SHOTS, `${name}-${theme}-${width}.png`), fullPage: ALL });
    }
  }
  if (await page.locator('img[src="x"]').count()) say('a name became markup');
  if (!name.startsWith('manual')) await tabThrough(page, say);
}

test('every view: no serious fault, no scrolling sideways, every control reached by Tab', async () => {
  assert.deepEqual(await faults([...views(made), ...manual], lookAtAll), []);
});

// --- for those who only look on --------------------------------------------------------------------------------------------

const QUESTION = /\/(decode|sample|encode|reconstruct|classify|interpolate|arithmetic|nearest|score|classes|verify)(\.png|\.npy)?(\?|$)|validate_only=true/;

test('a page that is read only shows nothing that changes anything, and sends nothing that does', async () => {
  const found = await faults(views(made).map(([name, where]) => [name, `?read_only=1${where}`]), async (page, say) => {
    page.on('request', (request) => {
      if (request.method() !== 'GET' && !QUESTION.test(request.url())) say(`${request.method()} ${request.url()}`);
    });
    const controls = await page.locator('.control:visible').evaluateAll((all) => all.map((node) => node.textContent.slice(0, 40)));
    if (controls.length) say(`shows ${controls}`);
    // Whatever can be pressed is pressed.
    await page.evaluate(() => { for (const button of document.querySelectorAll('main button')) if (button.checkVisibility()) button.click(); });
    await settled(page, page.pending);
  }, { acceptDownloads: false });
  assert.deepEqual(found, []);
  // By way of the manual, too.
  const page = await openView('?read_only=1#/data');
  await page.getByRole('link', { name: 'Docs' }).click();
  await page.getByRole('link', { name: 'Data sets' }).first().click();
  await page.getByRole('heading', { name: 'Data sets' }).waitFor();
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  assert.equal(await page.locator('.control:visible').count(), 0);
  assert.deepEqual(page.complaints, []);
  await closePage(page);
});

// --- the first moment ----------------------------------------------------------------------------------------------------------

test('the first view of a daemon that has just begun: light, and soon there', async () => {
  const fresh = await startDaemon();
  const page = await openPage(browser, 'about:blank');
  try {
    const bodies = [];
    page.on('response', (reply) => bodies.push(reply.body().then((body) => body.length)));
    const pending = watchRequests(page);
    await page.goto(fresh.url);
    await settled(page, pending);
    const bytes = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0);
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    console.log(`# first view: ${bytes} bytes before compression, first contentful paint after ${Math.round(paint)} ms`);
    assert.ok(bytes > 50000 && bytes < 150000, `${bytes} bytes`);
    assert.ok(paint < 3000, `${paint} ms; less than 1000 where nothing else runs`);
    assert.deepEqual(page.complaints, []);
  } finally {
    await closePage(page);
    await fresh.stop();
  }
});

// --- a token, and a path prefix: last, for the daemon begins anew ------------------------------------------------------------

test('every view works with a token, below a path prefix', async () => {
  await daemon.kill('SIGTERM');
  args.push('--path-prefix', PREFIX, '--token-file', path.join(dir, 'token'));
  await daemon.start();
  const base = `${daemon.url.slice(0, -1)}${PREFIX}/`;
  const page = await openPage(browser, 'about:blank', { allow: ANSWERED });
  page.pending = watchRequests(page);
  const outside = [];
  const refused = [];
  page.on('request', (request) => { if (!/^(blob|data|about):/.test(request.url()) && !request.url().startsWith(base)) outside.push(request.url()); });
  page.on('response', (reply) => { if (reply.status() === 401) refused.push(reply.url()); });
  await page.goto(`${base}#token=${TOKEN}`);
  for (const [, where] of views(made)) {
    await page.goto(base + where);
    await settled(page, page.pending);
    assert.equal(await page.locator('dialog').count(), 0, where);
  }
  // One document all along: sheets of views that are left are put away, and none spoils another.
  assert.ok(await page.evaluate(() => [...document.querySelectorAll('link[rel="stylesheet"]')].filter((link) => link.disabled).length >= 3));
  for (const where of ['#/', '#/new/vae', `#/runs/${made.head.id}`, `#/study/${made.study.id}`, '#/data/fashion-mnist']) {
    await page.goto(base + where);
    await settled(page, page.pending);
    assert.deepEqual([await overlaps(page), await sideways(page)], [[], 0], where);
  }
  assert.deepEqual({ outside, refused, complaints: page.complaints }, { outside: [], refused: [], complaints: [] });
  await closePage(page);
});

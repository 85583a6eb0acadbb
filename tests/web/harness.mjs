// harness.mjs: a daemon with a data directory of its own, and pages that fail the test when the browser complains.
//
// LATENTD names the binary, CHROMIUM the browser.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const top = fileURLToPath(new URL('../..', import.meta.url));
const binary = path.resolve(process.env.LATENTD ?? path.join(top, 'build/release/latentd'));
const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** What `ask` answers once that is true; until then it is asked again. */
export async function waitFor(what, ask, deadlineMs = 10000) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`no ${what} after ${deadlineMs} ms`);
    await sleep(20);
  }
}

/** A running daemon: url, stop(), restart() on the same port and data, api(path, body). `fill`: puts something into its data directory first. */
export async function startDaemon({ args = [], token, fill = async () => {} } = {}) {
  const dir = await mkdtemp(path.join(tmpdir(), 'latentd-web-'));
  await fill(path.join(dir, 'data'));
  const portFile = path.join(dir, 'port');
  const daemon = { dir, log: '', port: 0 };

  daemon.start = async () => {
    await rm(portFile, { force: true });
    const child = spawn(binary, ['--data-dir', path.join(dir, 'data'), '--listen', `127.0.0.1:${daemon.port}`, '--port-file',
      portFile, ...args], { cwd: top, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (text) => { daemon.log += text; });
    daemon.child = child;
    daemon.gone = new Promise((resolve) => { child.on('exit', (code, signal) => resolve({ code, signal })); });
    daemon.port = Number(await waitFor(`port (${binary})`, () => readFile(portFile, 'utf8')));
    daemon.url = `http://127.0.0.1:${daemon.port}/`;
    await waitFor('readiness', async () => (await fetch(`${daemon.url}readyz`)).ok);
  };
  daemon.kill = async (signal) => {
    daemon.child.kill(signal);
    return daemon.gone;
  };
  daemon.stop = async () => {
    await daemon.kill('SIGTERM');
    await rm(dir, { recursive: true, force: true });
  };
  daemon.api = async (route, body) => {
    const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { 'Content-Type': 'application/json' }) };
    const reply = await fetch(daemon.url + route, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
    return reply.json();
  };
  await daemon.start();
  return daemon;
}

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });

// A reply that a test fakes may be on its way still: the page going is not its failure.
export async function closePage(page) {
  await page?.unrouteAll({ behavior: 'ignoreErrors' });
  await page?.context().close();
}

/** A page of its own context. `complaints` collects console errors, exceptions and CSP violations; what `allow` matches
 * belongs to the test (a browser reports every reply of 400 and more). */
export async function openPage(browser, url, { allow = /$^/, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  const complain = (text) => allow.test(text) || page.complaints.push(text);
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.text()));
  page.on('pageerror', (error) => complain(String(error.stack)));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(url);
  return page;
}

/** Pixels of a canvas: how many are of a colour with some saturation, and a checksum of all; of a chart, at the same moment, its
 * count of points. */
export function canvasOf(locator) {
  return locator.evaluate((canvas) => {
    // Through a copy: reading the page's own canvas again and again would earn it a warning.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0;
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b, a] = data.subarray(i, i + 4);
      if (a > 128 && Math.max(r, g, b) - Math.min(r, g, b) > 60) coloured += 1;
      sum = (sum * 31 + r + 7 * g + 13 * b + a) % 4294967291;
    }
    const points = Number(canvas.closest('[data-points]')?.dataset.points);
    return { coloured, sum, points, width: canvas.width, height: canvas.height };
  });
}

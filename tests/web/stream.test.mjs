// What happens, as it happens, in several tabs: over one stream, whichever tab leads, over kills of the daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { waitFor } from './harness.mjs';
import { cancel, daemon, LOST, open, page, session } from './session.mjs';

session({ args: ['--workers', '1'] });

// Some fifty steps an epoch, of which a page shows every one: it thins from 1500 on.
const WATCHED = { kind: 'ae', params: { train_limit: 20000, batch_size: 360, epochs: 2000, latent_dim: 2, val_fraction: 0.1 } };

const streams = async () => Number(/^latentd_sse_clients (\d+)/m.exec(await (await fetch(`${daemon.url}metrics`)).text())[1]);
const oneStream = (count = 1) => waitFor(`${count} streams`, async () => (await streams()) === count, 20000);
const points = async (tab) => Number(await tab.locator('.chart').first().getAttribute('data-points'));
const grows = async (tab, by = 8) => {
  const at = await points(tab);
  await waitFor('more of the curve', async () => (await points(tab)) > at + by, 30000);
};

/** All events of the job, as this tab hears of them, from now on. */
const listen = (tab, id) => tab.evaluate(async (job) => {
  const { followJob } = await import('./lib/hub.js');
  globalThis.heard = [];
  globalThis.listening = new AbortController();
  await followJob(job, { signal: globalThis.listening.signal, onEvent: (type, data) => globalThis.heard.push(data.seq) });
}, id);
const heard = (tab) => tab.evaluate(() => globalThis.heard);

async function eventsOf(id) {
  const seqs = [];
  for (let more = true; more;) {
    const list = await daemon.api(`v1/jobs/${id}/events?limit=1000&after=${seqs.at(-1) ?? 0}`);
    seqs.push(...list.data.map(({ seq }) => seq));
    more = list.has_more;
  }
  return seqs;
}

const heardAll = (tab, id) => waitFor('every event, once, in order', async () => {
  const [here, there] = [await heard(tab), await eventsOf(id)];
  return here.length >= there.length && assert.deepEqual(here, there) === undefined;
}, 20000);

/** The text that the chart's menu saves: taken where it is handed over, for a browser that is asked for file after file drops some. */
async function saved(node) {
  let card = node;
  while (!card.querySelector('.menu-items')) card = card.parentElement;
  const { createObjectURL } = URL;
  const { click } = HTMLAnchorElement.prototype;
  try {
    const blob = await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('the chart is not drawn')), 5000);
      URL.createObjectURL = (file) => { resolve(file); return 'about:blank'; };
      HTMLAnchorElement.prototype.click = () => {};
      [...card.querySelectorAll('.menu-items button')].find((button) => button.textContent === 'CSV of what is seen').click();
    });
    await new Promise(requestAnimationFrame); // the link has been pressed
    return await blob.text();
  } finally {
    Object.assign(URL, { createObjectURL });
    Object.assign(HTMLAnchorElement.prototype, { click });
  }
}

/** {series: {step: value}} of what a chart shows, as it saves it. */
async function shownBy(tab, chart) {
  await chart.scrollIntoViewIfNeeded(); // it is drawn where it is seen
  await chart.locator('.u-over').waitFor();
  const [head, ...rows] = (await chart.evaluate(saved)).trim().split('\n').map((line) => line.split(','));
  const series = {};
  head.forEach((name, column) => {
    if (column < 3 || / m(in|ax)$/.test(name)) return;
    series[name] = Object.fromEntries(rows.filter((row) => row[column] !== '').map((row) => [row[0], Number(row[column])]));
  });
  return series;
}

async function shown(tab) {
  const charts = tab.locator('.chart:visible');
  const all = {};
  for (let i = 0; i < await charts.count(); i++) Object.assign(all, await shownBy(tab, charts.nth(i)));
  return all;
}

async function stored(id, names) {
  const { series, downsampled } = await daemon.api(`v1/jobs/${id}/metrics?names=${names.join()}&points=1000000`);
  assert.equal(downsampled, false);
  return Object.fromEntries(names.map((name) => [name, Object.fromEntries(series[name].step.map((step, i) => [step, series[name].value[i]]))]));
}

/** Waits for it; what is missing at the deadline is the failure. */
async function showsAll(tab, id) {
  await tab.bringToFront(); // others draw a frame a second
  const both = async () => {
    const here = await shown(tab);
    return [here, await stored(id, Object.keys(here))];
  };
  await waitFor('every point of the curve', async () => isDeepStrictEqual(...await both()), 20000).catch(() => {});
  const [here, there] = await both();
  assert.ok(Object.keys(here).length > 3, 'several series');
  assert.deepEqual(here, there);
}

/** The run stands still, so that what is shown can be compared. */
async function pause(id) {
  await daemon.api(`v1/jobs/${id}/pause`, {});
  await waitFor('the pause', async () => (await daemon.api(`v1/jobs/${id}`)).status === 'paused', 30000);
}

/** A further tab of the same browser. */
async function another(hash) {
  const tab = await page.context().newPage();
  await tab.goto(daemon.url + hash);
  return tab;
}

test('tabs share one stream, whichever leads, and lose nothing when the leader closes or the daemon is killed', async () => {
  const { id } = await daemon.api('v1/jobs', WATCHED);
  await open('about:blank', { allow: LOST });
  const leader = await another(`#/runs/${id}`);
  await waitFor('its curve', async () => (await points(leader)) > 5, 30000);
  await page.goto(`${daemon.url}#/runs/${id}`);
  const tabs = [page, await another(`#/runs/${id}`)];
  await Promise.all(tabs.map((tab) => listen(tab, id)));
  await Promise.all([leader, ...tabs].map((tab) => grows(tab)));
  await oneStream();

  await leader.close();
  await Promise.all(tabs.map((tab) => grows(tab)));
  await oneStream();

  await daemon.kill('SIGKILL');
  await Promise.all(tabs.map((tab) => tab.getByText(/has not answered since/).waitFor()));
  await daemon.start();
  await Promise.all(tabs.map((tab) => tab.getByText(/^Connected again after/).waitFor({ timeout: 20000 })));
  await Promise.all(tabs.map((tab) => grows(tab)));
  await oneStream();

  await pause(id);
  for (const tab of tabs) {
    await showsAll(tab, id);
    await heardAll(tab, id);
  }
  await cancel(id);
});

test('nothing streams for pages that are not seen, and they catch up when they are', async () => {
  const { id } = await daemon.api('v1/jobs', WATCHED);
  await open(`#/runs/${id}`);
  await listen(page, id);
  await waitFor('events', async () => (await heard(page)).length > 3);
  const see = (state) => page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { value: now, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  await see('hidden');
  await oneStream(0);
  const before = (await heard(page)).length;
  await waitFor('more events', async () => (await eventsOf(id)).length > before + 5, 20000);
  assert.equal((await heard(page)).length, before);
  await see('visible');
  await oneStream();
  await pause(id);
  await heardAll(page, id);
  await cancel(id);
});

test('where tabs cannot speak to each other, each has a stream of its own', async () => {
  const { id } = await daemon.api('v1/jobs', WATCHED);
  await open('about:blank');
  // As on a plain http address of another host.
  await page.context().addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
  await page.goto(`${daemon.url}#/runs/${id}`);
  const tab = await another(`#/runs/${id}`);
  await Promise.all([grows(page, 5), grows(tab, 5)]);
  await oneStream(2);
  await cancel(id);
});

test('a view whose file does not come is waited for, and comes with the daemon', async () => {
  await open('#/', { allow: LOST });
  await page.locator('main h2, main table').first().waitFor();
  await daemon.kill('SIGKILL');
  await page.getByRole('link', { name: 'New run' }).first().click();
  await page.getByRole('heading', { name: 'Waiting for the daemon' }).waitFor();
  await daemon.start();
  await page.getByRole('heading', { name: /^(New run|Submit|Start)/ }).waitFor({ timeout: 20000 });
});

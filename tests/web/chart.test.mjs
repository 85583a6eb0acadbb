// The charts of a run: one look for all of them, a part seen more closely, keys, the legend, marks, files.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { canvasOf, waitFor } from './harness.mjs';
import { cancel, daemon, finished, open, page, session } from './session.mjs';

let id;
session({ prepare: async () => {
  ({ id } = await finished((await daemon.api('v1/jobs', { kind: 'ae', name: 'charted', params: { train_limit: 2000, epochs: 3, latent_dim: 2 } })).id));
} });

const STEPS = 1000000; // of a run of ten epochs
const START = 1700000000000;
/** `n` points of steps first..last, as the daemon thins them. */
function thinned(first, last, n) {
  const step = Array.from({ length: n }, (_, i) => Math.round(first + ((last - first) * (i + 1)) / n));
  const value = step.map((s) => 0.1 + 0.05 * Math.sin(s / 40000));
  return { step, epoch: step.map((s) => (10 * s) / STEPS), time_ms: step.map((s) => START + s * 7), value, min: value.map((v) => v - 0.02), max: value.map((v) => v + 0.02) };
}

/** The page of the run, its curves a long run's. → the requests for a part of them. */
async function openLong(change = (series) => series) {
  const asked = [];
  await open('about:blank');
  await page.route('**/metrics?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const [from, to] = [Number(query.get('from_step') ?? 0), Number(query.get('to_step') ?? STEPS)];
    if (query.has('to_step')) asked.push([from, to]);
    const series = { train_loss: thinned(from, Math.min(to, STEPS), 100), lr: thinned(from, Math.min(to, STEPS), 100) };
    route.fulfill({ json: { series: change(series), next_step: STEPS + 1, downsampled: true } });
  });
  await page.route(`**/v1/jobs/${id}`, async (route) => {
    const reply = await route.fetch();
    await route.fulfill({ response: reply, json: { ...(await reply.json()), started_at_ms: START } });
  });
  await page.goto(`${daemon.url}#/runs/${id}`);
  await waitFor('the curve', async () => Number(await page.locator('.chart').first().getAttribute('data-points')) === 100);
  return asked;
}

const place = () => page.locator('.readout .place dd').first().textContent();
const canvas = () => page.locator('.chart canvas').first();
const zoomIn = async (from, to) => {
  const { x, y, width, height } = await page.locator('.chart .u-over').first().boundingBox();
  await page.mouse.move(x + width * from, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * to, y + height / 2, { steps: 4 });
  await page.mouse.up();
};

test('what is zoomed into is read again as finely, and stays the same part on another axis', async () => {
  const asked = await openLong();
  await zoomIn(0.4, 0.5);
  await page.getByRole('button', { name: 'Whole run' }).waitFor();
  await waitFor('the part, read again', async () => asked.length > 0);
  const [from, to] = asked.at(-1);
  assert.ok(Math.abs(from - 0.4 * STEPS) < 0.01 * STEPS && Math.abs(to - 0.5 * STEPS) < 0.01 * STEPS, `${from}..${to}`);
  await waitFor('finer points among the others', async () => Number(await page.locator('.chart').first().getAttribute('data-points')) > 180);
  // The same part on the axis of time: 0.4 to 0.5 of 7000 s.
  await page.getByRole('radio', { name: 'time' }).check();
  await page.locator('.chart').first().focus();
  await page.keyboard.press('Home');
  const [minutes, seconds] = (await place()).split(' ')[0].split(':').map(Number);
  assert.ok(Math.abs(60 * minutes + seconds - 2800) < 80, await place());
  await page.getByRole('button', { name: 'Whole run' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Zoom in', 'the button is gone, the focus is not');
  await page.reload();
  assert.equal(await page.getByRole('radio', { name: 'time' }).isChecked(), true, 'the axis is remembered');
});

test('arrows move the cursor on all charts, plus and minus zoom, 0 shows the whole', async () => {
  await openLong();
  const other = page.locator('.small-curve:visible .place dd').first();
  await other.waitFor();
  const chart = page.locator('.chart').first();
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  assert.match(await place(), /^9\.90 \(step 990000\)$/);
  assert.match(await page.locator('.chart-box').first().getByRole('status').textContent(), /epoch 9\.90.*train_loss 0\./);
  await waitFor('the cursor of the others', async () => (await other.textContent()) === (await place()));
  const whole = await canvasOf(canvas());
  await page.keyboard.press('+');
  await page.getByRole('button', { name: 'Whole run' }).waitFor();
  await waitFor('a part', async () => (await canvasOf(canvas())).sum !== whole.sum);
  await page.keyboard.press('0');
  await page.getByRole('button', { name: 'Whole run' }).waitFor({ state: 'hidden' });
});

test('fingers: one moves the cursor, two zoom, and a pad pinches', async () => {
  await openLong();
  const touch = (kind, fingers) => page.locator('.chart .u-over').first().evaluate((node, [type, all]) => {
    const { left, top, width } = node.getBoundingClientRect();
    for (const [pointerId, share] of all) {
      node.dispatchEvent(new PointerEvent(type, { pointerId, pointerType: 'touch', bubbles: true, clientX: left + share * width, clientY: top + 50 }));
    }
  }, [`pointer${kind}`, fingers]);
  const epochs = async () => Number((await place()).split(' ')[0]);
  await touch('down', [[1, 0.25]]);
  await waitFor('the cursor', async () => Math.abs(await epochs() - 2.5) < 0.15);
  await touch('down', [[2, 0.75]]);
  await touch('move', [[1, 0.05], [2, 0.95]]);
  await page.getByRole('button', { name: 'Whole run' }).waitFor();
  await touch('up', [[1, 0.05], [2, 0.95]]);
  await page.locator('.chart').first().focus();
  await page.keyboard.press('End');
  await waitFor('the end of what is seen', async () => (await epochs()) < 8.5 && (await epochs()) > 7);
  const pad = (deltaY) => page.locator('.chart .u-over').first().dispatchEvent('wheel', { deltaY, ctrlKey: true, clientX: 400, bubbles: true, cancelable: true });
  await pad(300);
  await page.getByRole('button', { name: 'Whole run' }).waitFor({ state: 'hidden' });
});

test('a legend hides its curve, smoothing and the band are drawn and remembered, gaps stay gaps', async () => {
  await openLong(({ train_loss: loss, ...others }) => {
    loss.value.fill(null, 40, 60);
    return { train_loss: loss, ...others };
  });
  const drawn = async () => (await canvasOf(canvas())).coloured;
  const gap = () => canvas().evaluate((node) => {
    const { width, height } = node;
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(node, 0, 0);
    const { data } = copy.getImageData(Math.round(width * 0.53), 0, Math.round(width * 0.03), height);
    let coloured = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 128 && Math.max(...data.subarray(i, i + 3)) - Math.min(...data.subarray(i, i + 3)) > 60) coloured += 1;
    return coloured;
  });
  assert.equal(await gap(), 0, 'nothing is drawn where there is no number');
  const full = await canvasOf(canvas());
  await page.getByRole('checkbox', { name: 'band' }).uncheck();
  await waitFor('no band', async () => (await canvasOf(canvas())).sum !== full.sum);
  await page.getByLabel('smooth').fill('0.9');
  await page.locator('.curve-tools output', { hasText: '0.90' }).waitFor();
  const legend = page.getByRole('button', { name: 'train_loss' });
  const before = await drawn();
  await legend.press('Enter');
  await waitFor('its curve to go', async () => (await drawn()) < before / 4);
  assert.equal(await legend.getAttribute('aria-pressed'), 'false');
  await page.reload();
  await page.locator('.curve-tools output', { hasText: '0.90' }).waitFor();
  assert.equal(await page.getByRole('checkbox', { name: 'band' }).isChecked(), false);
});

test('the axis of values can be as wide as most of them need', async () => {
  await openLong(({ train_loss: loss, ...others }) => {
    loss.value[0] = 1e4;
    loss.max[0] = 1e4;
    return { train_loss: loss, ...others };
  });
  // As lines the axis is told in words.
  const top = async () => {
    const menu = page.locator('.curves summary', { hasText: 'Save' });
    await menu.click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'SVG', exact: true }).click()]);
    const ticks = [...(await readFile(await download.path())).toString().matchAll(/text-anchor="end"[^>]*>([\d.]+)</g)].map(([, number]) => Number(number));
    return Math.max(...ticks);
  };
  assert.ok((await top()) >= 1000);
  await page.getByRole('checkbox', { name: 'no outliers' }).check();
  await waitFor('a closer axis', async () => (await top()) <= 0.3);
});

test('a chart is saved as it is seen: numbers, lines, picture', async () => {
  await openLong();
  await zoomIn(0.3, 0.6);
  await waitFor('the part', async () => Number(await page.locator('.chart').first().getAttribute('data-points')) > 150);
  const menu = page.locator('.curves summary', { hasText: 'Save' });
  const save = async (name) => {
    if (!(await page.getByRole('button', { name, exact: true }).isVisible())) await menu.click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name, exact: true }).click()]);
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  };
  const csv = await save('CSV of what is seen');
  assert.equal(csv.name, 'charted-loss.csv');
  const lines = csv.bytes.toString().trim().split('\n');
  assert.equal(lines[0], 'step,epoch,time_ms,train_loss,train_loss min,train_loss max,val_loss,val_loss min,val_loss max');
  const steps = lines.slice(1).map((line) => Number(line.split(',')[0]));
  assert.ok(steps.length > 90 && steps.every((step) => step >= 0.29 * STEPS && step <= 0.61 * STEPS), 'those that are seen');
  const svg = await save('SVG');
  const text = svg.bytes.toString();
  assert.match(text, /^<svg .*charted · Loss.*<path d="M[\d., -]+L.*train_loss/s);
  const parsed = await page.evaluate((source) => new DOMParser().parseFromString(source, 'image/svg+xml').querySelectorAll('path, polygon, parsererror').length, text);
  assert.ok(parsed >= 2);
  const png = await save('PNG');
  assert.deepEqual([...png.bytes.subarray(1, 4)].map((c) => String.fromCharCode(c)).join(''), 'PNG');
  await menu.click();
  await page.keyboard.press('Escape');
  assert.equal(await page.getByRole('button', { name: 'PNG', exact: true }).isVisible(), false);
});

test('edits and forks are marks over the curves that say what they are', async () => {
  const long = await daemon.api('v1/jobs', { kind: 'vae', params: { train_limit: 3000, epochs: 400, latent_dim: 2 } });
  await open(`#/runs/${long.id}`, { allow: /status of 409/ });
  await waitFor('a piece of the curve', async () => Number(await page.locator('.chart').first().getAttribute('data-points')) > 8, 20000);
  await page.getByRole('textbox', { name: /^beta/ }).fill('3');
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  const mark = page.getByRole('button', { name: /beta 1 → 3 at step \d+/ });
  await mark.waitFor({ timeout: 20000 });
  await mark.focus();
  await page.locator('.mark .tip', { hasText: 'beta 1 → 3' }).waitFor();
  await page.locator('.events li.log', { hasText: 'beta 1 → 3' }).waitFor();
  await cancel(long.id);
  const fork = await daemon.api(`v1/jobs/${id}/fork`, { checkpoint: 1, params: { epochs: 2 } });
  await finished(fork.id);
  await page.goto(`${daemon.url}#/runs/${fork.id}`);
  await page.getByRole('button', { name: `forked from ${id}@1` }).waitFor();
  await page.locator('.params .changed', { hasText: 'before the fork: 3' }).waitFor();
});

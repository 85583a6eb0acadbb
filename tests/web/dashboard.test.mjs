// The dashboard in a real browser against a real daemon that trains on real images.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';
import { canvasOf, closePage, launch, openPage, startDaemon, waitFor } from './harness.mjs';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const REFUSED = /status of 422/; // the form asks the daemon whether its fields are right, and the browser notes each no
// While the daemon is away, and while the run waits to go on and has no weights to decode with.
const LOST = /status of 409|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET/;

// A run of seconds: some 14 steps an epoch.
const QUICK = { kind: 'ae', params: { train_limit: 2000, epochs: 3, latent_dim: 2 } };
// A run that is still going when the test has seen enough.
const LONG = { kind: 'ae', params: { train_limit: 20000, epochs: 2000, latent_dim: 4 } };

let daemon;
let browser;
let page;

before(async () => {
  [daemon, browser] = await Promise.all([startDaemon(), launch()]);
});
after(async () => {
  await browser?.close();
  await daemon?.stop();
});
afterEach(async (t) => {
  const complaints = page?.complaints ?? [];
  await closePage(page);
  page = null;
  // What a failed test left running is not the next one's business.
  const { data } = await daemon.api('v1/jobs?status=queued,running');
  await Promise.all(data.map((job) => cancel(job.id)));
  assert.deepEqual(complaints, [], `console of '${t.name}'`);
});

const open = async (hash = '#/', options = {}) => {
  page = await openPage(browser, daemon.url + hash, options);
  return page;
};
const finished = (id) => daemon.api(`v1/jobs/${id}?wait_s=60`);
const pill = (text) => page.locator('.run-head .pill', { hasText: text }).waitFor({ timeout: 60000 });
const box = (name) => page.getByRole('textbox', { name: new RegExp(`^${name}\\b`) });
const chart = () => page.locator('.chart');
const points = async () => Number(await chart().getAttribute('data-points'));
const decoded = () => page.locator('canvas.decoded');
const cancel = (id) => daemon.api(`v1/jobs/${id}/cancel`, {}).catch(() => {});

async function cancelHere() {
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel the run' }).click();
}

async function seriousViolations() {
  await page.addScriptTag({ content: await readFile(axePath, 'utf8') }).catch(() => {});
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return result.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(' | ')}`);
}

test('with no runs the page offers the first one in a click, beside its curl line', async () => {
  await open();
  await page.getByRole('heading', { name: 'Nothing has been trained here yet' }).waitFor();
  assert.equal(await page.locator('.command code').textContent(), `curl --json '{"kind":"ae"}' \\\n  ${daemon.url}v1/jobs`);
  const kinds = (await daemon.api('v1/kinds')).data.map(({ kind }) => kind);
  assert.deepEqual(await page.locator('.kinds a').allTextContents(), kinds);
  await page.locator('.kinds a').nth(1).click();
  const form = page.getByRole('combobox', { name: 'kind' });
  await waitFor('its form', async () => (await form.inputValue()) === kinds[1] && (await page.locator('.command code').textContent()).includes(`"kind":"${kinds[1]}"`));
  assert.equal(await page.locator('#nav a[aria-current]').textContent(), 'New run');
  await page.goBack();
  await page.getByRole('button', { name: 'Start a first run' }).click();
  await page.waitForURL(/#\/runs\/job_/);
  await pill('running');
  await cancelHere();
  await pill('cancelled');
  const { data } = await daemon.api('v1/jobs');
  assert.equal(data[0].status, 'cancelled');
  assert.match(await page.title(), /^cancelled/);
});

test('a run submitted through the form draws its curve while it trains', async () => {
  await open('#/new');
  await box('name').fill('from-the-form');
  await box('latent_dim').fill('3');
  await box('train_limit').fill('12000');
  await box('epochs').fill('20');
  await page.locator('.estimate', { hasText: 'parameters' }).waitFor();
  await waitFor('the curl line of this body', async () => (await page.locator('.form-side code').textContent()).includes('"epochs":20'));
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.waitForURL(/#\/runs\/job_/);
  await waitFor('a first piece of the curve', async () => (await points()) >= 8, 20000);
  const canvas = page.locator('.chart canvas');
  const early = await canvasOf(canvas);
  assert.ok(early.coloured > 20, `coloured pixels at first: ${early.coloured}`);
  await waitFor('more of the curve, drawn', async () => {
    const now = await canvasOf(canvas);
    return now.points > early.points + 20 && now.sum !== early.sum;
  }, 20000);
  await pill('succeeded');
  await waitFor('one val_loss point per epoch', async () => /val_loss 0\.0.* at epoch 20\.0/.test(await chart().getAttribute('aria-label')));
  const job = (await daemon.api('v1/jobs?name=from-the-form')).data[0];
  assert.deepEqual([job.params.latent_dim, job.params.train_limit, job.progress.epoch], [3, 12000, 20]);
  assert.ok((await points()) > early.points);
  await page.locator('.facts', { hasText: 'test loss' }).waitFor();
});

test('what the daemon refuses stands beside its field', async () => {
  await open('#/new', { allow: REFUSED });
  await box('latent_dim').fill('0');
  const error = page.locator('.field', { has: box('latent_dim') }).locator('.error');
  await error.filter({ hasText: '512' }).waitFor();
  assert.equal(await box('latent_dim').getAttribute('aria-invalid'), 'true');
  await box('latent_dim').fill('eight');
  await error.filter({ hasText: 'eight' }).waitFor();
  await box('latent_dim').fill('9');
  await error.waitFor({ state: 'hidden' });
  await box('kernel').fill('99');
  await page.locator('.field', { has: box('kernel') }).locator('.error').filter({ hasText: /./ }).waitFor();
  await page.getByRole('button', { name: 'Start run' }).click();
  await waitFor('focus on the refused field', () => box('kernel').evaluate((el) => el === document.activeElement));
  assert.match(page.url(), /#\/new$/);
});

test('a preset fills the fields, and only what differs from it is sent', async () => {
  await open('#/new');
  const code = page.locator('.form-side code');
  await page.getByRole('radio', { name: /^report as/ }).check();
  await waitFor('the preset in the curl line', async () => (await code.textContent()).includes(`'{"kind":"ae","preset":"report"}'`));
  const { presets } = await daemon.api('v1/kinds/ae');
  assert.equal(await box('lr').inputValue(), String(presets.find((p) => p.name === 'report').params.lr));
  await box('channels').fill('4, 8');
  await waitFor('the change in the curl line', async () => (await code.textContent()).includes('"params":{"channels":[4,8]}'));
  await page.getByRole('radio', { name: /^default/ }).check();
  await waitFor('the default again', async () => (await box('lr').inputValue()) === '0.008');
  assert.equal(await box('channels').inputValue(), '4, 8', 'what was changed wins over the preset');
  await waitFor('both in the curl line', async () => (await code.textContent()).includes(`'{"kind":"ae","params":{"channels":[4,8]}}'`));
});

test('what a switch turns on shows its fields, and is sent as an object', async () => {
  await open('#/new', { allow: REFUSED });
  const code = page.locator('.form-side code');
  const line = (text) => waitFor(`${text} in the curl line`, async () => (await code.textContent()).includes(text));
  const patience = box('patience');
  assert.equal(await patience.isVisible(), false);
  await page.getByRole('checkbox', { name: /^early_stopping/ }).check();
  await patience.fill('3');
  await line('"params":{"early_stopping":{"monitor":"val_loss","patience":3,"min_delta":0,"restore_best":true}}');
  await patience.fill('0');
  const error = page.locator('.members .field', { has: patience }).locator('.error');
  await error.filter({ hasText: 'must be 1..100000, got 0' }).waitFor();
  await page.getByRole('button', { name: 'Start run' }).click();
  await waitFor('focus on the refused field', () => patience.evaluate((el) => el === document.activeElement));
  await page.getByRole('checkbox', { name: /^early_stopping/ }).uncheck();
  await error.waitFor({ state: 'hidden' });
  await line(`'{"kind":"ae"}'`);
});

test('dragging a latent slider redraws the picture, one request at a time', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  await open(`#/runs/${job.id}`);
  const sliders = page.getByRole('slider', { name: /^Latent unit/ });
  await sliders.first().waitFor();
  assert.equal(await sliders.count(), 2);
  await waitFor('a decoded test image', async () => (await canvasOf(decoded())).width === 28);
  const { z } = await daemon.api(`v1/models/${job.id}`);
  const boot = await daemon.api(`v1/models/${job.id}/encode`, { dataset: 'fashion-mnist', split: 'test', indices: [0] });
  assert.ok(Math.abs(Number(await sliders.first().inputValue()) - boot.z[0][0]) < 1e-4);
  assert.equal(Number(await sliders.first().getAttribute('max')), z.q99[0]);

  let under = 0;
  let most = 0;
  let sent = 0;
  const decode = (request) => request.url().endsWith('/decode.png');
  // Answers slower than the hand, as they are over a network.
  await page.route('**/decode.png', async (route) => {
    await new Promise((resolve) => { setTimeout(resolve, 40); });
    await route.continue();
  });
  page.on('request', (r) => { if (decode(r)) { under += 1; sent += 1; most = Math.max(most, under); } });
  page.on('requestfinished', (r) => { if (decode(r)) under -= 1; });
  const before = await canvasOf(decoded());
  const { x, y, width, height } = await sliders.first().boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  for (let i = 0; i < 25; i++) await page.mouse.move(x + width / 2 + (i * width) / 60, y + height / 2);
  await page.mouse.up();
  await waitFor('another picture', async () => (await canvasOf(decoded())).sum !== before.sum);
  assert.ok(sent > 1 && sent < 25, `${sent} requests for 25 moves`);
  assert.equal(most, 1);

  // The picture that stays is the one of the newest codes.
  await page.waitForLoadState('networkidle');
  const codes = await sliders.evaluateAll((all) => all.map((s) => Number(s.value)));
  const { images } = await daemon.api(`v1/models/${job.id}/decode`, { z: [codes] });
  const drawn = await decoded().evaluate((c) => [...c.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0));
  const expected = images[0].flat(2);
  assert.ok(drawn.every((v, i) => Math.abs(v / 255 - expected[i]) < 0.01), 'pixels are those of the sliders');

  await sliders.nth(1).focus();
  const still = await canvasOf(decoded());
  for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowRight');
  await waitFor('a picture by keyboard', async () => (await canvasOf(decoded())).sum !== still.sum);
  await page.getByRole('button', { name: 'Mean' }).click();
  await waitFor('the mean', async () => Math.abs(Number(await sliders.nth(1).inputValue()) - z.mean[1]) < 1e-4);
  await page.getByRole('button', { name: 'Random' }).click();
  await waitFor('a random code', async () => Math.abs(Number(await sliders.nth(1).inputValue()) - z.mean[1]) > 1e-4);
  await page.getByRole('button', { name: 'Test image' }).click();
  const next = await daemon.api(`v1/models/${job.id}/encode`, { dataset: 'fashion-mnist', split: 'test', indices: [1] });
  await waitFor('the next test image', async () => Math.abs(Number(await sliders.nth(1).inputValue()) - next.z[0][1]) < 1e-4);
  await page.getByText(/^best weights, epoch \d$/).waitFor();
});

test('while the codes move, a touched unit keeps its place among them and the others follow the mean', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await closePage(page);
  page = await openPage(browser, 'about:blank', { allow: LOST });
  const each = (value) => [value, value, value, value];
  let z = { mean: each(0), std: each(1), q01: each(-2), q99: each(2) };
  await page.route(`**/v1/models/${id}`, async (route) => {
    const reply = await route.fetch();
    await route.fulfill(reply.ok() ? { response: reply, json: { ...(await reply.json()), z } } : { response: reply });
  });
  await page.goto(`${daemon.url}#/runs/${id}`);
  const slider = (i) => page.getByRole('slider', { name: `Latent unit ${i}` });
  await page.getByRole('button', { name: 'Mean' }).click({ timeout: 20000 });
  await slider(0).fill('1.5');
  z = { mean: each(10), std: each(2), q01: each(9), q99: each(11) };
  await waitFor('untouched units at the new mean', async () => (await slider(1).inputValue()) === '10', 20000);
  assert.equal(await slider(0).inputValue(), '13', 'one and a half deviations above, though its range ended at 11');
  await page.getByRole('button', { name: 'Mean' }).click();
  await waitFor('all at the mean', async () => (await slider(0).inputValue()) === '10');
  await cancel(id);
  await pill('cancelled');
});

test('the epoch slider walks through the previews and lets the newest go when it is taken', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${id}`);
  const slider = page.getByRole('slider', { name: 'Epoch of the previews' });
  const shown = page.locator('.previews-panel output');
  await waitFor('three previews', async () => Number(await slider.getAttribute('max')) >= 3, 30000);
  const first = Number(await shown.textContent());
  await waitFor('the newest to be followed', async () => Number(await shown.textContent()) > first, 20000);
  const grid = page.locator('canvas.grid').first();
  await slider.focus();
  await page.keyboard.press('Home');
  await waitFor('the untrained net', async () => (await grid.getAttribute('aria-label')) === 'reconstructions at epoch 0');
  const untrained = await canvasOf(grid);
  assert.ok(untrained.width > 28 * 4);
  const most = Number(await slider.getAttribute('max'));
  await waitFor('a newer preview meanwhile', async () => Number(await slider.getAttribute('max')) > most, 20000);
  assert.equal(await shown.textContent(), '0');
  await page.getByRole('button', { name: 'Newest' }).click();
  await waitFor('a trained net', async () => Number(await shown.textContent()) > most && (await canvasOf(grid)).sum !== untrained.sum);
  await cancelHere();
  await pill('cancelled');
});

test('a preview whose second picture is not written yet shows its first, then both', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  const { data } = await daemon.api(`v1/jobs/${job.id}/previews`);
  const missing = data.find(({ epoch, kind }) => epoch === 3 && kind === 'samples');
  let asked = 0;
  page = await openPage(browser, 'about:blank');
  await page.route('**/previews', (route) => route.fulfill({ json: { object: 'list', data: data.filter((p) => p !== missing) } }));
  page.on('request', (request) => { if (request.url().endsWith(missing.url)) asked += 1; });
  await page.goto(`${daemon.url}#/runs/${job.id}`);
  const labels = () => page.locator('canvas.grid').evaluateAll((all) => all.map((c) => c.getAttribute('aria-label')));
  await waitFor('the first picture', async () => (await labels())[0] === 'reconstructions at epoch 3');
  await page.waitForLoadState('networkidle');
  assert.equal(asked, 0);
  await page.unroute('**/previews');
  await page.reload();
  await waitFor('both', async () => (await labels())[1] === 'samples at epoch 3');
});

test('pictures taken on the way through an epoch have their places before its end', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  const { data } = await daemon.api(`v1/jobs/${job.id}/previews`);
  const inside = [7, 5].map((step) => ({ step, epoch: 2, kind: 'samples', url: `/v1/jobs/${job.id}/previews/2/samples.png?step=${step}` }));
  const asked = [];
  page = await openPage(browser, 'about:blank');
  await page.route('**/previews', (route) => route.fulfill({ json: { object: 'list', data: [...data, ...inside] } }));
  await page.route('**/samples.png?step=*', async (route) => {
    asked.push(new URL(route.request().url()).search);
    await route.fulfill({ response: await route.fetch({ url: route.request().url().replace(/\?.*/, '') }) });
  });
  await page.goto(`${daemon.url}#/runs/${job.id}`);
  const slider = page.getByRole('slider', { name: 'Epoch of the previews' });
  const shown = page.locator('.previews-panel output');
  await waitFor('the newest', async () => (await shown.textContent()) === '3');
  assert.equal(await slider.getAttribute('max'), '5');
  await slider.focus();
  const seen = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('ArrowLeft');
    seen.push(await shown.textContent());
  }
  assert.deepEqual(seen, ['2', '2, step 7', '2, step 5', '1', '0']);
  await waitFor('both pictures of the steps', async () => asked.length === 2);
  assert.deepEqual(asked, ['?step=7', '?step=5']);
});

test('the picture of the sliders follows the net while it learns', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${id}`);
  await waitFor('a first picture', async () => (await canvasOf(decoded())).width === 28, 20000);
  const first = await canvasOf(decoded());
  await waitFor('a picture of later weights', async () => (await canvasOf(decoded())).sum !== first.sum, 20000);
  await page.getByText(/weights of epoch \d+/).waitFor();
  await cancel(id);
  await pill('cancelled');
});

test('log scale, smoothing and the numbers per epoch', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  await open(`#/runs/${job.id}`);
  const canvas = page.locator('.chart canvas');
  await waitFor('the curve', async () => (await points()) > 3);
  const log = await canvasOf(canvas);
  await page.getByLabel('log scale').uncheck();
  await waitFor('a linear curve', async () => (await canvasOf(canvas)).sum !== log.sum);
  const linear = await canvasOf(canvas);
  await page.getByLabel('smooth').fill('0.9');
  await waitFor('a smoother curve', async () => (await canvasOf(canvas)).sum !== linear.sum);
  await page.getByText('Numbers per epoch').click();
  await waitFor('a row per epoch', async () => (await page.locator('.curves tbody tr').count()) === 3);
  await page.getByText('What these curves say').click();
  await page.getByText(/mean image/).first().waitFor();
  const { x, y, width, height } = await canvas.boundingBox();
  const last = await page.locator('.readout dd').first().textContent();
  await page.mouse.move(x + width * 0.25, y + height / 2);
  await waitFor('hover values', async () => (await page.locator('.readout dd').first().textContent()) !== last);
});

test('zooming holds while points come, and a double click shows the whole run', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${id}`);
  await waitFor('a piece of the curve', async () => (await points()) > 60, 20000);
  const { x, y, width, height } = await page.locator('.chart .u-over').boundingBox();
  await page.mouse.move(x + width * 0.3, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 4 });
  await page.mouse.up();
  const whole = page.getByRole('button', { name: 'Whole run' });
  await whole.waitFor();
  const readout = page.locator('.readout div').last();
  const epochAt = async (share) => {
    await page.mouse.move(x + width * share, y + height / 3);
    await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
    return Number(/[\d.]+/.exec(await readout.textContent())[0]);
  };
  const right = await epochAt(0.98);
  const at = await points();
  await waitFor('more points', async () => (await points()) > at + 40, 20000);
  assert.ok(Math.abs((await epochAt(0.98)) - right) <= 0.2 * right, 'the same part of the run');
  await page.mouse.dblclick(x + width / 2, y + height / 2);
  await whole.waitFor({ state: 'hidden' });
  await waitFor('the whole run', async () => (await epochAt(0.98)) > 1.3 * right);
  await cancel(id);
  await pill('cancelled');
});

test('a killed daemon that comes back: the page goes on by itself', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${id}`, { allow: LOST });
  await waitFor('a piece of the curve', async () => (await points()) > 30, 20000);
  await daemon.kill('SIGKILL');
  await page.getByText('not connected').waitFor();
  await daemon.start();
  await page.getByText('not connected').waitFor({ state: 'hidden', timeout: 20000 });
  const at = await points();
  await waitFor('the curve to grow again', async () => (await points()) > at + 20, 20000);
  await cancel(id);
  await pill('cancelled');
});

test('a run that is cancelled while it waits promises nothing', async () => {
  const others = await Promise.all([1, 2].map(() => daemon.api('v1/jobs', LONG)));
  const { id } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${id}`);
  await pill('queued');
  assert.equal(await page.getByRole('link', { name: 'weights' }).count(), 0);
  // One key does not end a run.
  await page.getByRole('button', { name: 'Cancel', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Cancel this run?' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.equal((await daemon.api(`v1/jobs/${id}`)).status, 'queued');
  await cancelHere();
  await pill('cancelled');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'the button is gone, the focus is not');
  for (const text of ['ended before its first pictures', 'ended before it had saved any weights']) await page.getByText(text).waitFor();
  const facts = await page.locator('.facts').textContent();
  assert.ok(facts.includes('trained for–') && facts.includes('ended bya request to cancel'), facts);
  assert.equal(await page.getByRole('link', { name: /^(weights|pytorch.py)$/ }).count(), 0);
  assert.equal((await page.locator('.run-head').textContent()).split(id).length - 1, 1, 'a run without a name says its id once');
  await Promise.all(others.map((job) => cancel(job.id)));
});

test('a curve of one point can be seen, and the same run in a terminal is a short line', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  await open(`#/runs/${job.id}`);
  const repeat = page.getByLabel('command that repeats this run', { exact: true });
  assert.equal(await repeat.textContent(),
    `curl --json '{"kind":"ae","params":{"latent_dim":2,"epochs":3,"train_limit":2000}}' \\\n  ${daemon.url}v1/jobs`);
  await page.getByRole('link', { name: 'weights' }).waitFor();
  const one = { step: [1], epoch: [0.5], value: [0.05], min: [0.05], max: [0.05] };
  await page.route('**/metrics?*', (route) => route.fulfill({ json: { series: { train_loss: one }, next_step: 2, downsampled: false } }));
  await page.reload();
  await waitFor('its point', async () => (await points()) === 1);
  await waitFor('a dot', async () => (await canvasOf(page.locator('.chart canvas'))).coloured > 8);
});

test('bars of the units, the alert that they are silent, and new images from a distribution of choice', async () => {
  const { id } = await daemon.api('v1/jobs', { kind: 'vae', params: { train_limit: 2000, epochs: 4, latent_dim: 3, beta: 1000 } });
  await finished(id);
  await open(`#/runs/${id}`);
  await page.locator('.card.warn li', { hasText: /posterior collapse.*free_bits/ }).waitFor();
  const units = page.locator('.units');
  await units.getByText('active_units 0 of 3').waitFor();
  assert.equal(await units.locator('.unit-bars > div').count(), 3);
  assert.equal(await page.locator('.curves').getByText('kl_0').count(), 0); // not among the losses
  const choice = page.getByRole('combobox', { name: 'Distribution of the codes' });
  const drawn = page.locator('.samples-panel canvas');
  await drawn.and(page.locator('[data-shown="1"]')).waitFor();
  assert.deepEqual(await choice.locator('option').allTextContents(), ['auto (normal)', 'normal', 'uniform', 'gaussian_fit', 'gmm']);
  await choice.selectOption('gmm');
  await drawn.and(page.locator('[data-shown="2"]')).waitFor();
  assert.match(await drawn.getAttribute('aria-label'), /distribution gmm, seed 0/);
  await page.getByRole('button', { name: 'Others' }).click();
  await drawn.and(page.locator('[data-shown="3"]')).waitFor();
  assert.match(await drawn.getAttribute('aria-label'), /seed 1/);
});

test('a kind with many series has a chart for each unit, those that stand for it first, and one for its classes', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  const kind = await daemon.api('v1/kinds/ae');
  const row = (name, unit, more) => ({ ...kind.series[0], name, unit, headline: false, reference_lines: [], ...more });
  kind.series = [row('d_real', 'probability'), row('d_fake', 'probability'), row('d_loss', 'nats', { headline: true }), row('g_loss', 'nats', { headline: true }),
    row('slope', 'squared slope'), row('share', 'share of samples', { per_class: true })];
  const curve = (value) => ({ step: [1, 2, 3], epoch: [1, 2, 3], value, min: value, max: value, time_ms: [1, 2, 3] });
  const series = { d_loss: curve([1.4, 1.3, 1.2]), g_loss: curve([0.7, -0.1, 0.5]), d_real: curve([0.5, 0.6, 0.6]), share_0: curve([0.1, 0.2, 0.25]), share_8: curve([0.1, 0.2, 0.3]) };
  page = await openPage(browser, 'about:blank');
  await page.route('**/kinds/ae', (route) => route.fulfill({ json: kind }));
  await page.route('**/metrics?*', (route) => route.fulfill({ json: { series, next_step: 4, downsampled: false } }));
  await page.goto(`${daemon.url}#/runs/${job.id}`);
  const titles = (of) => page.locator(of).allTextContents();
  await waitFor('the classes', async () => (await titles('.small-curves h3')).length === 2);
  assert.deepEqual(await titles('.curves h2'), ['Loss', 'Probability']);
  assert.deepEqual(await titles('.small-curves h3'), ['slope', 'share of samples']);
  await waitFor('their shares, by name', async () => /Bag\s*0\.3000/.test((await titles('.small-curves .readout')).join(' ')));
  const log = (i) => page.getByRole('checkbox', { name: 'log scale' }).nth(i).isChecked();
  assert.deepEqual([await log(0), await log(1)], [false, false], 'a loss below 0 has no logarithm, a probability needs none');
  await page.getByRole('checkbox', { name: 'log scale' }).first().check();
  assert.equal(await log(0), true, 'unless one wants it');
});

test('a walk between seeds and classes, the way that suits the codes or another', async () => {
  const { id } = await daemon.api('v1/jobs', { kind: 'vae', params: { train_limit: 2000, epochs: 1, latent_dim: 3 } });
  await finished(id);
  page = await openPage(browser, 'about:blank');
  const sent = [];
  page.on('request', (request) => { if (request.url().endsWith('/interpolate.png')) sent.push(request.postDataJSON()); });
  await page.goto(`${daemon.url}#/runs/${id}`);
  const strip = page.locator('.walk-panel canvas');
  const drawn = (times) => strip.and(page.locator(`[data-shown="${times}"]`)).waitFor();
  await drawn(1);
  const { width, height, sum } = await canvasOf(strip);
  assert.deepEqual([width, height], [280, 28]);
  assert.equal(await page.getByRole('combobox', { name: 'How to walk' }).locator('option').first().textContent(), 'auto (slerp)');
  await page.getByRole('combobox', { name: 'Walk to' }).selectOption('Bag');
  await drawn(2);
  assert.notEqual((await canvasOf(strip)).sum, sum);
  assert.equal(await page.getByRole('textbox', { name: 'Seed to walk to' }).isVisible(), false);
  await page.getByRole('textbox', { name: 'Seed to walk from' }).fill('5');
  await page.getByRole('textbox', { name: 'Seed to walk from' }).blur();
  await drawn(3);
  await page.getByRole('combobox', { name: 'How to walk' }).selectOption('lerp');
  await drawn(4);
  assert.equal(await strip.getAttribute('aria-label'), 'Images on the way from seed 5 to Bag');
  assert.deepEqual(sent, [{ from: { seed: 1 }, to: { seed: 2 }, steps: 10 }, { from: { seed: 1 }, to: { class: 'Bag' }, steps: 10 },
    { from: { seed: 5 }, to: { class: 'Bag' }, steps: 10 }, { from: { seed: 5 }, to: { class: 'Bag' }, steps: 10, mode: 'lerp' }]);
});

test('the judge tells what samples are worth, beside real images', async () => {
  const { id } = await daemon.api('v1/jobs', { kind: 'vae', params: { train_limit: 2000, epochs: 1, latent_dim: 3 } });
  await finished(id);
  await open(`#/runs/${id}`);
  const panel = page.locator('.judge-panel');
  await panel.getByRole('button', { name: 'Score' }).click();
  await panel.getByRole('rowheader', { name: 'FCD', exact: true }).waitFor({ timeout: 60000 });
  const score = await daemon.api(`v1/models/${id}/score`, { count: 1000, seed: 1 });
  const cells = await panel.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'FCD', exact: true }) }).getByRole('cell').allTextContents();
  assert.deepEqual(cells.map(Number), [score.fcd, score.fcd_floor].map((x) => Number(x.toPrecision(3))));
  assert.equal(await panel.getByRole('region', { name: 'Share of each class' }).locator('tr').count(), 10);
  assert.equal(await panel.getByRole('row', { name: /^Bag/ }).locator('.num').textContent(), `${(100 * score.class_shares.Bag).toFixed(1)} %`);
  await panel.locator('canvas').and(page.locator('[data-shown="1"]')).waitFor({ timeout: 20000 });
  assert.ok((await canvasOf(panel.locator('canvas'))).width > 500);
});

test('a run that diverged says so', async () => {
  const job = await finished((await daemon.api('v1/jobs',
    { kind: 'ae', params: { ...QUICK.params, optimizer: 'sgd', lr: 10, weight_decay: 1, schedule: 'constant', warmup_epochs: 0, epochs: 60 } })).id);
  assert.equal(job.status, 'failed', 'this recipe should diverge');
  await open(`#/runs/${job.id}`);
  await page.getByRole('alert').filter({ hasText: job.error.detail }).waitFor();
  await pill('failed');
});

test('names are text, whatever they look like', async () => {
  const name = `<img src=x onerror=alert(1)>"'&`;
  const job = await finished((await daemon.api('v1/jobs', { ...QUICK, name })).id);
  assert.equal(job.name, name);
  page = await openPage(browser, daemon.url);
  page.on('dialog', () => page.complaints.push('a script of a name ran'));
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { name, exact: true }).waitFor();
  assert.equal(await page.locator('main img').count(), 0);
});

test('the table is live and walks by keyboard', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await open();
  const row = page.locator('tr', { has: page.locator(`a[href="#/runs/${id}"]`) });
  await row.getByText('running').waitFor();
  const value = () => row.locator('progress').evaluate((bar) => bar.value);
  const at = await value();
  await waitFor('progress', async () => (await value()) > at);
  await waitFor('a sparkline', async () => (await row.locator('polyline').getAttribute('points')).split(' ').length > 5);
  assert.match(await page.title(), /^\d+% · Runs/);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), `#/runs/${id}`);
  await page.keyboard.press('Enter');
  await pill('running');
  assert.match(await page.title(), /^\d+% · /);
  await page.keyboard.press('n');
  await page.getByRole('heading', { name: 'New run' }).waitFor();
  await page.keyboard.press('g');
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
  await cancel(id);
  await row.getByText('cancelled').waitFor();
});

for (const colorScheme of ['light', 'dark']) {
  test(`no serious accessibility faults, ${colorScheme}`, async () => {
    const job = (await daemon.api('v1/jobs?status=succeeded&limit=1')).data[0];
    // axe is injected by the test, which the page's own policy would rightly refuse.
    await open('#/', { colorScheme, bypassCSP: true, allow: REFUSED, reducedMotion: 'reduce' });
    await page.locator('tbody tr').first().waitFor();
    assert.deepEqual(await seriousViolations(), []);
    await page.goto(`${daemon.url}#/new`);
    await box('latent_dim').fill('0');
    await page.locator('.field .error').filter({ hasText: '512' }).waitFor();
    assert.deepEqual(await seriousViolations(), []);
    const start = page.getByRole('button', { name: 'Start run' });
    const colours = () => start.evaluate((el) => [getComputedStyle(el).color, getComputedStyle(el).backgroundColor]);
    const usual = await colours();
    await start.hover();
    assert.deepEqual(await colours(), usual, 'the main button can be read under the mouse');
    await page.goto(`${daemon.url}#/runs/${job.id}`);
    await waitFor('the picture', async () => (await canvasOf(decoded())).width === 28);
    for (const summary of await page.locator('summary').all()) await summary.click();
    assert.deepEqual(await seriousViolations(), []);
  });
}

test('the theme follows the system, then the button, and is remembered', async () => {
  const job = (await daemon.api('v1/jobs?status=succeeded&limit=1')).data[0];
  await open(`#/runs/${job.id}`, { colorScheme: 'dark' });
  const brightness = () => page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]));
  assert.ok((await brightness()) < 60);
  await waitFor('the curve', async () => (await points()) > 3);
  const dark = await canvasOf(page.locator('.chart canvas'));
  await page.getByRole('button', { name: 'Switch to the light theme' }).click();
  assert.ok((await brightness()) > 200);
  await waitFor('a curve in other colours', async () => (await canvasOf(page.locator('.chart canvas'))).sum !== dark.sum);
  await page.reload();
  await page.getByRole('button', { name: 'Switch to the dark theme' }).waitFor();
  assert.ok((await brightness()) > 200);
});

test('nothing is wider than a phone', async () => {
  const job = (await daemon.api('v1/jobs?status=succeeded&limit=1')).data[0];
  await open('#/', { viewport: { width: 380, height: 760 } });
  for (const hash of ['#/', '#/new', `#/runs/${job.id}`]) {
    await page.goto(daemon.url + hash);
    await page.locator('h1').waitFor();
    await page.waitForLoadState('networkidle');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 380, hash);
    if (hash !== '#/new') continue;
    await page.locator('.estimate', { hasText: 'time in all' }).waitFor();
    const start = await page.getByRole('button', { name: 'Start run' }).boundingBox();
    assert.ok(start.y > 0 && start.y + start.height <= 760, 'the form can be sent from wherever it is');
  }
});

test('a missing data set is shown with the remedy', async () => {
  page = await openPage(browser, `${daemon.url}#/nowhere`);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  const missing = [{ name: 'fashion-mnist', detail: 'Install dataset-fashion-mnist, or put four files into one of the folders.',
    files: [{ name: 'train-images-idx3-ubyte.gz', bytes: 26421880, sha256: '3aede38d' }], directories: ['/a/datasets'] }];
  await page.route('**/v1/datasets', (route) => route.fulfill({ json: { object: 'list', data: [], missing } }));
  await page.goto(`${daemon.url}#/`);
  const alert = page.getByRole('alert');
  await alert.filter({ hasText: 'The data set fashion-mnist is not here' }).waitFor();
  for (const text of ['Install dataset-fashion-mnist', 'train-images-idx3-ubyte.gz', '25.2 MiB', '3aede38d', '/a/datasets']) {
    assert.ok((await alert.textContent()).includes(text), text);
  }
});

test('an unknown run is an answer, not a blank page', async () => {
  await open('#/runs/no-such-run', { allow: /status of 404/ });
  await page.getByRole('alert').filter({ hasText: 'no-such-run' }).waitFor();
  await page.goto(`${daemon.url}#/runs/%E0%A4%A`); // no such text, either
  await page.getByRole('alert').filter({ hasText: '%E0%A4%A' }).waitFor();
});

// The page of one run: sliders of its code, previews, and the panels of its kind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canvasOf, closePage, waitFor } from './harness.mjs';
import { cancel, cancelHere, daemon, decoded, finished, LONG, LOST, open, page, pill, points, QUICK, REFUSED, session } from './session.mjs';

session();

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
  await open('about:blank', { allow: LOST });
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
  await open('about:blank');
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
  await open('about:blank');
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

test('a curve of one point can be seen, and the same run in a terminal is a short line', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  await open(`#/runs/${job.id}`);
  const repeat = page.getByLabel('command that repeats this run', { exact: true });
  assert.equal(await repeat.textContent(),
    `curl --json '{"kind":"ae","params":{"latent_dim":2,"epochs":3,"train_limit":2000}}' \\\n  ${daemon.url}v1/jobs`);
  await page.getByRole('link', { name: 'weights', exact: true }).waitFor();
  const one = { step: [1], epoch: [0.5], value: [0.05], min: [0.05], max: [0.05] };
  await page.route('**/metrics?*', (route) => route.fulfill({ json: { series: { train_loss: one }, next_step: 2, downsampled: false } }));
  await page.reload();
  await waitFor('its point', async () => (await points()) === 1);
  await waitFor('a dot', async () => (await canvasOf(page.locator('.chart canvas').first())).coloured > 8);
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
  await open('about:blank');
  await page.route('**/kinds/ae', (route) => route.fulfill({ json: kind }));
  await page.route('**/metrics?*', (route) => route.fulfill({ json: { series, next_step: 4, downsampled: false } }));
  await page.goto(`${daemon.url}#/runs/${job.id}`);
  const titles = (of) => page.locator(of).allTextContents();
  await waitFor('the classes', async () => (await titles('.small-curves h3')).length === 2);
  assert.deepEqual(await titles('.curves h2'), ['Loss', 'Probability']);
  assert.deepEqual(await titles('.small-curves h3'), ['slope', 'share of samples']);
  await page.locator('.small-curves .readout').last().scrollIntoViewIfNeeded(); // what is not seen is not drawn
  await waitFor('their shares, by name', async () => /Bag\s*0\.3000/.test((await titles('.small-curves .readout')).join(' ')));
  const log = (i) => page.getByRole('checkbox', { name: 'log scale' }).nth(i).isChecked();
  assert.deepEqual([await log(0), await log(1)], [false, false], 'a loss below 0 has no logarithm, a probability needs none');
  await page.getByRole('checkbox', { name: 'log scale' }).first().check();
  assert.equal(await log(0), true, 'unless one wants it');
});

test('a walk between seeds and classes, the way that suits the codes or another', async () => {
  const { id } = await daemon.api('v1/jobs', { kind: 'vae', params: { train_limit: 2000, epochs: 1, latent_dim: 3 } });
  await finished(id);
  await open('about:blank');
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
  await page.getByRole('combobox', { name: 'Walk from' }).selectOption('test image');
  await drawn(5);
  await page.getByRole('textbox', { name: 'Test image to walk from' }).fill('7');
  await page.getByRole('textbox', { name: 'Test image to walk from' }).blur();
  await drawn(6);
  assert.deepEqual(sent.at(-1).from, { index: 7 });
  assert.equal(await strip.getAttribute('aria-label'), 'Images on the way from test image 7 to Bag');

  const panel = page.locator('.atlas-panel');
  const [grid, rows] = [panel.locator('canvas').first(), panel.locator('canvas').last()];
  await waitFor('both pictures', async () => (await canvasOf(grid)).width === 12 * 28 && (await canvasOf(rows)).height === 3 * 28);
  const first = (await canvasOf(grid)).sum;
  const { std } = (await daemon.api(`v1/models/${id}`)).z;
  const [most, next, least] = [0, 1, 2].sort((a, b) => std[b] - std[a]);
  assert.equal(await grid.getAttribute('aria-label'), `Images of a grid over z${most} and z${next}`);
  await panel.getByRole('combobox', { name: 'Unit upwards' }).selectOption(`z${least}`);
  await waitFor('another grid', async () => (await canvasOf(grid)).sum !== first);
  assert.equal(await grid.getAttribute('aria-label'), `Images of a grid over z${most} and z${least}`);

  // The animation plays where people look at it.
  const href = await page.getByRole('link', { name: 'timelapse.png' }).getAttribute('href');
  const track = await page.evaluate(async (address) => {
    const decoder = new ImageDecoder({ data: (await fetch(address)).body, type: 'image/png' });
    await decoder.tracks.ready;
    await decoder.completed;
    const { frameCount, animated, repetitionCount } = decoder.tracks.selectedTrack;
    const { image } = await decoder.decode({ frameIndex: 1 });
    return { frameCount, animated, forever: repetitionCount === Infinity, ms: image.duration / 1000, width: image.codedWidth };
  }, href);
  const { data } = await daemon.api(`v1/jobs/${id}/previews`);
  assert.equal(track.frameCount, data.filter(({ kind }) => kind === 'reconstructions').length);
  assert.deepEqual([track.animated, track.forever, track.ms], [true, true, 1500]);
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

const button = (name) => page.getByRole('button', { name, exact: true });

test('a run is paused, goes on, is stopped with its model, and another is tried again', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${id}`);
  await waitFor('a first piece of the curve', async () => (await points()) >= 8, 20000);
  assert.equal(await button('Resume').count(), 0);
  await button('Pause').click();
  await pill('paused');
  const { progress } = await daemon.api(`v1/jobs/${id}`);
  assert.equal(await button('Pause').count(), 0);
  await button('Resume').click();
  await pill('running');
  await waitFor('it to go on', async () => (await daemon.api(`v1/jobs/${id}`)).progress.step > progress.step, 20000);
  await button('Stop and keep').click();
  await page.getByRole('button', { name: 'End the run' }).click();
  await pill('succeeded');
  await page.locator('.facts', { hasText: 'a request to stop' }).waitFor();
  for (const name of ['Pause', 'Resume', 'Stop and keep', 'Cancel', 'Try again']) assert.equal(await button(name).count(), 0, name);
});

test('a cancelled run is tried again and followed again', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${id}`, { allow: LOST }); // it had saved nothing: until it has begun again it cannot decode
  await waitFor('a first piece of the curve', async () => (await points()) >= 8, 20000);
  await cancelHere();
  await pill('cancelled');
  await button('Try again').click();
  await pill('running');
  const at = await points();
  await waitFor('the curve to grow again', async () => (await points()) > at + 20, 20000);
  assert.equal((await daemon.api(`v1/jobs/${id}`)).attempt, 2);
});

test('a run goes on from a checkpoint as another, is verified, and goes', async () => {
  const first = await daemon.api('v1/jobs', QUICK);
  await finished(first.id);
  await open(`#/runs/${first.id}`, { allow: REFUSED });
  const panel = page.locator('form', { hasText: 'Go on from a checkpoint' });
  await panel.locator('select').selectOption('1');
  await panel.getByRole('button', { name: 'Verify', exact: true }).click();
  await panel.getByText(/steps from epoch 1 .* come out as they did, bit by bit/).waitFor();
  await panel.getByText('With other parameters').click();
  await panel.getByRole('textbox', { name: /^epochs/ }).fill('1');
  await panel.getByRole('button', { name: 'Fork', exact: true }).click();
  await panel.getByText(/all 1 epochs are done/).waitFor(); // refused, at its field
  await panel.getByRole('textbox', { name: /^epochs/ }).fill('2');
  await panel.getByRole('button', { name: 'Fork', exact: true }).click();
  await page.getByRole('link', { name: `${first.id}@1` }).waitFor();
  await pill('succeeded');
  const fork = (await daemon.api('v1/jobs?limit=1')).data[0];
  assert.deepEqual([fork.from.job, fork.from.checkpoint, fork.params.epochs], [first.id, 1, 2]);
  await button('Delete').click();
  await page.waitForURL((where) => where.hash === '#/');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator(`.runs [data-id="${fork.id}"] .run-link`).click();
  await button('Delete').click();
  await page.getByRole('button', { name: 'Put this message away' }).last().click();
  await waitFor('it to be gone', async () => !(await daemon.api('v1/jobs')).data.some(({ id }) => id === fork.id), 10000);
  await page.waitForURL((where) => where.hash === '#/');
});

test('whose end a run waits for is told', async () => {
  const { id } = await daemon.api('v1/jobs', LONG);
  const waits = await daemon.api('v1/jobs', { ...QUICK, depends_on: [id] });
  await open(`#/runs/${waits.id}`, { allow: LOST });
  await page.locator('.run-head').getByRole('link', { name: id }).waitFor();
});

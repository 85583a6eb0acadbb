// The dashboard in a real browser against a real daemon that trains on real images.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canvasOf, waitFor } from './harness.mjs';
import { box, cancel, cancelHere, chart, daemon, decoded, finished, LONG, LOST, open, page, pill, points, QUICK, REFUSED, seriousViolations, session } from './session.mjs';

session();

test('with no runs the page offers a few to begin with, each in a click beside its curl line and the time it takes', async () => {
  await open();
  await page.getByRole('heading', { name: 'Nothing has been trained here yet' }).waitFor();
  const kinds = (await daemon.api('v1/kinds')).data;
  const offered = kinds.filter(({ starter }) => starter);
  assert.ok(offered.length >= 3);
  assert.deepEqual(await page.locator('.starter h3').allTextContents(), offered.map(({ starter }) => starter.title));
  const bodies = offered.map(({ kind, starter }) => JSON.stringify({ kind, params: starter.params }));
  assert.deepEqual(await page.locator('.starter .command code').allTextContents(), bodies.map((body) => `curl --json '${body}' \\\n  ${daemon.url}v1/jobs`));
  await waitFor('the times', async () => (await page.locator('.starter-time').allTextContents()).every((text) => /\d+ epochs, [\d,]+ weights/.test(text)));
  assert.deepEqual(await page.locator('.kinds a').allTextContents(), kinds.map(({ kind }) => kind));
  await page.locator('.kinds a').nth(1).click();
  const form = page.getByRole('combobox', { name: 'kind' });
  const second = kinds[1].kind;
  await waitFor('its form', async () => (await form.inputValue()) === second && (await page.locator('.command code').textContent()).includes(`"kind":"${second}"`));
  assert.equal(await page.locator('#nav a[aria-current]').textContent(), 'New run');
  await page.goBack();
  await page.getByRole('button', { name: `Start: ${offered[0].starter.title}` }).click();
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
  const canvas = page.locator('.chart canvas').first();
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

test('log scale, smoothing and the numbers per epoch', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  await open(`#/runs/${job.id}`);
  const canvas = page.locator('.chart canvas').first();
  await waitFor('the curve', async () => (await points()) > 3);
  const log = await canvasOf(canvas);
  await page.getByLabel('log scale').first().uncheck();
  await waitFor('a linear curve', async () => (await canvasOf(canvas)).sum !== log.sum);
  const linear = await canvasOf(canvas);
  await page.getByLabel('smooth').fill('0.9');
  await waitFor('a smoother curve', async () => (await canvasOf(canvas)).sum !== linear.sum);
  await page.getByText('Numbers per epoch').click();
  await waitFor('a row per epoch', async () => (await page.locator('.curves tbody tr').count()) === 3);
  await page.getByText('What these curves say').first().click();
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
  const { x, y, width, height } = await page.locator('.chart .u-over').first().boundingBox();
  await page.mouse.move(x + width * 0.3, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 4 });
  await page.mouse.up();
  const whole = page.getByRole('button', { name: 'Whole run' });
  await whole.waitFor();
  const readout = page.locator('.readout .place').first();
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
  assert.equal(await page.getByRole('link', { name: 'weights', exact: true }).count(), 0);
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
  await open();
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
    for (const summary of await page.locator('.view summary:visible').all()) await summary.press('Enter'); // a menu may lie over the next
    assert.deepEqual(await seriousViolations(), []);
  });
}

test('the theme follows the system, then the button, and is remembered', async () => {
  const job = (await daemon.api('v1/jobs?status=succeeded&limit=1')).data[0];
  await open(`#/runs/${job.id}`, { colorScheme: 'dark' });
  const brightness = () => page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]));
  assert.ok((await brightness()) < 60);
  await waitFor('the curve', async () => (await points()) > 3);
  const dark = await canvasOf(page.locator('.chart canvas').first());
  await page.getByRole('button', { name: 'Switch to the light theme' }).click();
  assert.ok((await brightness()) > 200);
  await waitFor('a curve in other colours', async () => (await canvasOf(page.locator('.chart canvas').first())).sum !== dark.sum);
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
  await open('#/nowhere');
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

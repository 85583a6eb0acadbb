// The table of runs in use: found, sorted, selected, steered by mouse and by keys; deleted and taken back; what is told in the corner.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { daemon, finished, LONG, open, page, QUICK, seriousViolations, session } from './session.mjs';

const names = ['shoes', 'shirts', 'bags'];
const VAE = { kind: 'vae', name: 'codes', params: { train_limit: 1000, epochs: 2, latent_dim: 2 } };

session({ prepare: async () => {
  const quick = names.map((name, i) => ({ ...QUICK, name, params: { ...QUICK.params, lr: 0.001 * (i + 1) } }));
  const jobs = await Promise.all([...quick, VAE].map((body) => daemon.api('v1/jobs', body)));
  await Promise.all(jobs.map(({ id }) => finished(id)));
} });

const row = (name) => page.locator('.runs tbody tr').filter({ has: page.getByRole('link', { name, exact: true }) });
const shownNames = () => page.locator('.run-link').allTextContents();
const notice = (text) => page.locator('.notice').filter({ hasText: text });
const exists = async (name) => (await daemon.api('v1/jobs?limit=100')).data.some((job) => job.name === name);

test('found by words, chips and parameters; sorted by a column; grouped by kind: and the address remembers it', async () => {
  await open();
  await row('shoes').waitFor();
  const best = async () => page.locator('.runs td.best > :first-child').allTextContents().then((all) => all.map(Number));
  await page.getByRole('button', { name: /^Best/ }).click();
  assert.equal(await page.locator('th.best').getAttribute('aria-sort'), 'ascending');
  const up = await best();
  assert.deepEqual(up, [...up].sort((a, b) => a - b));
  await page.keyboard.press('/');
  await page.keyboard.type('lr=0.002');
  await waitFor('the one of that rate', async () => String(await shownNames()) === 'shirts');
  await page.keyboard.press('Escape');
  await page.getByRole('group', { name: 'Kind' }).getByRole('button', { name: /^vae/ }).click();
  await waitFor('the one of that kind', async () => String(await shownNames()) === 'codes');
  await page.reload();
  await waitFor('the same after a reload', async () => String(await shownNames()) === 'codes');
  assert.match(page.url(), /#\/\?kind=vae&sort=best$/);
  await page.getByRole('group', { name: 'Kind' }).getByRole('button', { name: /^vae/ }).click();
  await page.getByLabel('group by kind').check();
  const head = page.locator('.group-head', { hasText: /^ae/ });
  assert.match(await head.textContent(), /3 runs · best val_loss 0\.\d+ · .* in all/);
  await head.getByRole('button').click();
  await waitFor('a closed group', async () => String(await shownNames()) === 'codes');
});

test('selected with keys and with Shift, compared; deleted at once, taken back, deleted for good when the page goes', async () => {
  await open();
  await row('shoes').waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  const boxes = page.locator('.runs tbody input[type="checkbox"]');
  await boxes.nth(2).click({ modifiers: ['Shift'] });
  await page.getByRole('status').filter({ hasText: '3 selected' }).waitFor();
  const href = await page.getByRole('link', { name: 'Compare (3)' }).getAttribute('href');
  const order = await page.locator('.run-link').evaluateAll((all) => all.slice(0, 3).map((link) => link.getAttribute('href').slice(7)));
  assert.equal(href, `#/compare/${order.join(',')}`);
  await page.keyboard.press('Escape');
  await page.locator('.select-bar').waitFor({ state: 'hidden' });

  await row('bags').getByRole('link').focus();
  await page.keyboard.press('Delete');
  await row('bags').waitFor({ state: 'detached' });
  assert.ok(await page.evaluate(() => Boolean(document.activeElement.closest('.runs'))), 'the keyboard stays in the table');
  assert.ok(await exists('bags'), 'not before its moment has passed');
  await page.keyboard.press('u');
  await row('bags').waitFor();
  await row('bags').getByRole('button', { name: 'Actions for bags' }).click();
  await page.locator('.row-actions').getByRole('button', { name: 'Delete', exact: true }).click();
  await row('bags').waitFor({ state: 'detached' });
  assert.ok(await exists('bags'));
  await page.goto('about:blank'); // what has been decided is done, though nobody waits for it
  await waitFor('it to be gone', async () => !await exists('bags'));
});

test('steered from the table: priority, pause, resume; what others do is told in the corner, in every view', async () => {
  const long = await daemon.api('v1/jobs', { ...LONG, name: 'long' });
  await open();
  await row('long').locator('.pill', { hasText: 'running' }).waitFor();
  await row('long').getByRole('link').focus();
  await page.keyboard.press('p');
  await row('long').locator('.pill', { hasText: 'paused' }).waitFor();
  await page.keyboard.press('m');
  const menu = page.locator('.row-actions');
  await menu.getByRole('spinbutton', { name: 'Priority' }).fill('7');
  await page.keyboard.press('Enter');
  await row('long').getByText('priority 7').waitFor(); // it is paused
  assert.equal((await daemon.api(`v1/jobs/${long.id}`)).priority, 7);
  await page.keyboard.press('p');
  await row('long').locator('.pill', { hasText: 'running' }).waitFor();
  assert.equal(await notice('paused').count(), 0, 'what the page did itself is no news');
  await page.keyboard.press('n');
  await page.getByRole('heading', { name: 'New run' }).waitFor();
  let look; // nobody does before the run is over
  const held = new Promise((resolve) => { look = resolve; });
  await page.route('**/v1/jobs?study=none*', (route) => held.then(() => route.continue()));
  await finished((await daemon.api('v1/jobs', { kind: 'ae', name: 'brief', params: { train_limit: 300, epochs: 1 } })).id);
  look();
  await notice('brief succeeded').waitFor({ timeout: 20000 });
  await daemon.api(`v1/jobs/${long.id}/stop`, {});
  await notice('long succeeded').waitFor({ timeout: 20000 });
  await notice('long succeeded').getByRole('link').click();
  await page.waitForURL((url) => url.hash === `#/runs/${long.id}`);
});

test('all selected are steered at once, after a question; and one is forked', async () => {
  const ids = (await Promise.all([1, 2].map((i) => daemon.api('v1/jobs', { ...LONG, name: `twin-${i}` })))).map((job) => job.id);
  await open('#/?q=twin');
  await row('twin-2').locator('.pill', { hasText: 'running' }).waitFor();
  await page.keyboard.press('a');
  const bar = page.getByRole('region', { name: 'Selected runs' });
  await bar.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel the runs' }).click();
  const both = () => Promise.all(ids.map((id) => daemon.api(`v1/jobs/${id}`)));
  await waitFor('both to end', async () => (await both()).every((job) => job.status === 'cancelled'));
  await bar.getByRole('button', { name: 'Try again', exact: true }).waitFor();
  await page.goto(`${daemon.url}#/?q=shoes`);
  await row('shoes').getByRole('button', { name: 'Actions for shoes' }).click();
  await page.locator('.row-actions').getByRole('button', { name: 'Fork…', exact: true }).click();
  await page.getByRole('spinbutton', { name: 'epochs' }).fill('4');
  await page.getByRole('textbox', { name: 'name' }).fill('more-shoes');
  await page.getByRole('button', { name: 'Fork', exact: true }).click();
  await notice('more-shoes goes on from shoes').waitFor();
  const fork = (await daemon.api('v1/jobs?name=more-shoes')).data[0];
  assert.equal((await finished(fork.id)).progress.epoch, 4);
});

test('the trials of a study are beneath it', async () => {
  const study = await daemon.api('v1/jobs', { kind: 'study', name: 'tuning', params: { trials: 2, space: { lr: { values: [0.001, 0.002] } },
    base: { kind: 'ae', params: { train_limit: 500, epochs: 1 } } } });
  await finished(study.id);
  await open();
  await row('tuning').getByRole('button', { name: 'Trials of tuning' }).click();
  await waitFor('its trials', async () => (await page.locator('.runs tr.child').count()) === 2);
  await row('tuning').getByRole('button', { name: 'Trials of tuning' }).click();
  await waitFor('none', async () => (await page.locator('.runs tr.child').count()) === 0);
});

for (const colorScheme of ['light', 'dark']) {
  test(`no serious accessibility faults with a menu, a selection and a message, ${colorScheme}`, async () => {
    await open('#/?group=kind', { colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
    await row('shoes').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await row('codes').getByRole('link').focus();
    await page.keyboard.press('Delete');
    assert.deepEqual(await seriousViolations(), []);
    await page.keyboard.press('u');
    await row('shoes').getByRole('button', { name: 'Actions for shoes' }).click();
    assert.deepEqual(await seriousViolations(), []);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    assert.deepEqual(await seriousViolations(), []);
  });
}

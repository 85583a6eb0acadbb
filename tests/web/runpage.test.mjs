// The page of one run besides its curves: previews that play, what happened, checkpoints, what differs, why it waits, when it is gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closePage, waitFor } from './harness.mjs';
import { cancel, daemon, finished, LONG, LOST, open, page, pill, QUICK, seriousViolations, session } from './session.mjs';

let id;
session({ args: ['--workers', '1'], prepare: async () => { ({ id } = await finished((await daemon.api('v1/jobs', QUICK)).id)); } });

/** What the page copies goes here: a headless browser has no clipboard to read. */
const copies = () => page.addInitScript(() => {
  window.copied = [];
  navigator.clipboard.writeText = async (text) => { window.copied.push(text); };
});
const copied = () => page.evaluate(() => window.copied.at(-1));

test('previews play from the beginning to the newest, and stop when one takes the slider', async () => {
  await open(`#/runs/${id}`);
  const panel = page.locator('.previews-panel');
  const slider = page.getByRole('slider', { name: 'Epoch of the previews' });
  await waitFor('the previews', async () => (await slider.inputValue()) === '3');
  const seen = panel.locator('canvas').first();
  await page.evaluate(() => {
    window.labels = [];
    new MutationObserver((changes) => changes.forEach(({ target }) => window.labels.push(target.getAttribute('aria-label'))))
      .observe(document.querySelector('.previews-panel canvas'), { attributeFilter: ['aria-label'] });
  });
  await panel.getByRole('combobox', { name: 'Pictures a second' }).selectOption('10');
  await page.getByRole('button', { name: 'Play the previews' }).click();
  await waitFor('all of them', async () => (await page.evaluate(() => window.labels.join())).endsWith([0, 1, 2, 3].map((n) => `reconstructions at epoch ${n}`).join()));
  await page.getByRole('button', { name: 'Play the previews' }).waitFor();
  await panel.getByRole('combobox', { name: 'Pictures a second' }).selectOption('2');
  await page.getByRole('button', { name: 'Play the previews' }).press('Enter');
  await page.getByRole('button', { name: 'Pause the previews' }).waitFor();
  await slider.press('End');
  await page.getByRole('button', { name: 'Play the previews' }).waitFor();
  await slider.press('Home');
  await seen.and(page.locator('[aria-label="reconstructions at epoch 0"]')).waitFor();
  await page.getByRole('button', { name: 'Newest' }).click();
  await waitFor('the newest', async () => (await slider.inputValue()) === '3');
});

test('what happened can be filtered, and is told newest first or in its order', async () => {
  await open(`#/runs/${id}`);
  const panel = page.locator('.events-panel');
  const types = () => panel.locator('.type').allTextContents();
  await waitFor('states', async () => (await types()).length >= 3);
  assert.deepEqual(new Set(await types()), new Set(['status']));
  assert.equal(await panel.locator('li').first().locator('.detail').textContent(), 'succeeded');
  await panel.getByRole('checkbox', { name: 'states' }).uncheck();
  await panel.getByText('Nothing of this kind has happened.').waitFor();
  await panel.getByRole('checkbox', { name: 'checkpoints' }).check();
  await waitFor('a checkpoint an epoch', async () => (await types()).length === 3);
  await panel.getByRole('combobox').selectOption('follow');
  assert.match(await panel.locator('li').first().locator('.detail').textContent(), /^epoch 1, step \d+, \d.* KiB$/);
});

test('cards fold, stay folded for their kind, and open when one goes there', async () => {
  await open(`#/runs/${id}`);
  const card = page.locator('.card.curves');
  const fold = card.getByRole('button', { name: 'Loss', exact: true });
  await fold.click();
  assert.equal(await fold.getAttribute('aria-expanded'), 'false');
  assert.equal(await card.locator('.chart').isVisible(), false);
  await page.reload();
  await fold.and(page.locator('[aria-expanded="false"]')).waitFor();
  await page.getByRole('navigation', { name: 'Parts of this page' }).getByRole('button', { name: 'Curves' }).click();
  await waitFor('its curve', async () => Number(await card.locator('.chart').getAttribute('data-points')) > 3 && await card.locator('.chart canvas').isVisible());
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Loss');
});

test('checkpoints can be taken, explored, forked and verified, each also from a terminal', async () => {
  await open('about:blank');
  await copies();
  await page.goto(`${daemon.url}#/runs/${id}`);
  const panel = page.locator('.checkpoints');
  const row = panel.locator('tbody tr').first();
  await row.locator('.badge', { hasText: 'last' }).waitFor();
  assert.equal(await panel.locator('tbody tr').count(), 3);
  const { data } = await daemon.api(`v1/jobs/${id}/checkpoints?order=desc`);
  assert.equal(await row.locator('th').textContent(), String(data[0].epoch));
  const href = (name) => row.getByRole('link', { name }).getAttribute('href');
  assert.equal(await href('Weights of epoch 3'), `${daemon.url}v1/jobs/${id}/checkpoints/3/weights`);
  assert.equal((await fetch(await href('Weights of epoch 3'))).status, 200);
  assert.deepEqual([await href('Explore from epoch 3'), await href('Fork from epoch 3')], [`#/explore/${id}@3`, `#/new/ae?from=${id}@3`]);
  await row.getByRole('button', { name: 'Copy as curl: Verify' }).click();
  assert.equal(await copied(), `curl --json '{"checkpoint":3}' \\\n  ${daemon.url}v1/jobs/${id}/verify`);
  await panel.getByText('With other parameters').click();
  await panel.getByRole('textbox', { name: /^epochs/ }).fill('5');
  await panel.getByRole('button', { name: 'Copy as curl: Fork' }).click();
  assert.equal(await copied(), `curl --json '{"checkpoint":"best","params":{"epochs":5}}' \\\n  ${daemon.url}v1/jobs/${id}/fork`);
});

test('why a run waits stands on top, and a paused one says where', async () => {
  const [first, next] = [await daemon.api('v1/jobs', { ...LONG, name: 'busy' }), await daemon.api('v1/jobs', QUICK)];
  const after = await daemon.api('v1/jobs', { ...QUICK, depends_on: [first.id] });
  await open(`#/runs/${next.id}`, { allow: LOST });
  const note = page.locator('.card.note');
  await note.filter({ hasText: 'All workers are busy; it is the next one' }).waitFor();
  await page.goto(`${daemon.url}#/runs/${after.id}`);
  await note.filter({ hasText: 'Waits for the end of busy (running).' }).waitFor();
  await daemon.api('v1/queue/pause', {});
  await page.goto(`${daemon.url}#/runs/${next.id}`);
  await note.filter({ hasText: 'The queue is paused' }).waitFor();
  await page.getByRole('button', { name: 'Resume the queue', exact: true }).click();
  await waitFor('the queue to go on', async () => (await daemon.api('v1/queue')).paused === false);
  await page.goto(`${daemon.url}#/runs/${first.id}`);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await pill('paused');
  await note.filter({ hasText: /Paused in epoch \d+, at step [\d,]+/ }).waitFor();
  await Promise.all([first, next, after].map((job) => cancel(job.id)));
});

test('alerts stand on top with their remedy, are marked and told, and all of it is accessible', async () => {
  const { id: other } = await finished((await daemon.api('v1/jobs', { kind: 'vae', params: { train_limit: 2000, epochs: 4, latent_dim: 3, beta: 1000 } })).id);
  for (const colorScheme of ['light', 'dark']) {
    await closePage(page);
    await open(`#/runs/${other}`, { colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
    const alert = page.locator('.alerts li');
    await alert.filter({ hasText: /posterior collapse.*\(epoch 3\).*What helps: .*free_bits/ }).waitFor();
    assert.equal(await alert.count(), 1, 'said once, though it is among the warnings, too');
    await page.getByRole('button', { name: /^epoch 3: posterior collapse/ }).waitFor();
    await page.locator('.events li.alert', { hasText: 'free_bits' }).waitFor();
    await page.locator('.units').getByText('Over time').click();
    await page.locator('.units .chart canvas').waitFor();
    assert.match(await page.locator('.units .chart').getAttribute('aria-label'), /z0 .* at epoch 4.0/);
    await page.locator('.curves summary', { hasText: 'Save' }).click();
    assert.deepEqual(await seriousViolations(), []);
  }
});

test('a run that is deleted elsewhere is told to be gone', async () => {
  const job = await finished((await daemon.api('v1/jobs', QUICK)).id);
  await open(`#/runs/${job.id}`, { allow: /status of 404/ });
  await pill('succeeded');
  await fetch(`${daemon.url}v1/jobs/${job.id}`, { method: 'DELETE' });
  await waitFor('that it is gone', async () => {
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange'))); // as when one comes back to the page
    return page.getByRole('heading', { name: 'This run has been deleted' }).isVisible();
  });
});

test('a run that is tried again elsewhere is followed again', async () => {
  const { id: other } = await daemon.api('v1/jobs', LONG);
  await open(`#/runs/${other}`, { allow: LOST });
  await pill('running');
  await cancel(other);
  await pill('cancelled');
  await page.locator('.card.note', { hasText: 'Ended by a request to cancel,' }).waitFor();
  await daemon.api(`v1/jobs/${other}/retry`, {});
  await waitFor('it to run again', async () => {
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    return page.locator('.run-head .pill', { hasText: 'running' }).isVisible();
  });
  await cancel(other);
  await pill('cancelled');
});

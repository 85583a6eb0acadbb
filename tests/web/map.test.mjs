// A map of a run's codes: offered where a run has ended, started by a press, watched while it moves, searched, asked, and the way back to
// the explorer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { daemon, finished, open, page, pill, seriousViolations, session } from './session.mjs';

let base;
session({
  prepare: async () => {
    base = await daemon.api('v1/jobs', { kind: 'ae', preset: 'report', name: 'encoder',
      params: { epochs: 1, train_limit: 1000, preview_every_epochs: 0 } });
    base = await finished(base.id);
  },
});

const pad = () => page.getByRole('application', { name: 'Map' });
const points = async () => Number(await pad().getAttribute('data-points'));
const frames = async () => Number(await pad().getAttribute('data-frames'));
const classRow = (name) => page.getByRole('group', { name: 'Classes shown' }).getByRole('button', { name, exact: true });
const maker = async () => (await daemon.api('v1/kinds')).data.find(({ results }) => results.includes('projection')).kind;

test('a run that has ended offers maps of its codes, and a press makes one', async () => {
  await open(`#/runs/${base.id}`, { bypassCSP: true }); // axe is a script of the test's
  await page.locator('.map-panel button', { hasText: 'pca' }).first().click();
  await page.waitForURL(/#\/map\/job_/);
  await pill('succeeded');
  await waitFor('all test images', async () => (await points()) > 9900, 20000);
  await page.getByText('variance shown').waitFor();
  await page.getByText('trustworthiness').waitFor();
  assert.deepEqual((await page.locator('.links a').allTextContents()), ['projection.png', 'projection.csv', 'projection.npy', 'projection.json']);

  // Classes: one hidden, only one, all.
  const all = await points();
  await classRow('Bag').click();
  await waitFor('fewer points', async () => (await points()) < all - 900);
  assert.equal(await classRow('Bag').getAttribute('aria-pressed'), 'false');
  await classRow('Sandal').click({ modifiers: ['Alt'] });
  await waitFor('sandals only', async () => (await points()) <= 1000);
  assert.equal(await page.locator('.legend-row[aria-pressed="true"]').count(), 1);
  await page.getByRole('button', { name: 'All classes' }).click();
  await waitFor('all again', async () => (await points()) === all);

  // One of them, by its number; its neighbours on the map; zoom keeps it.
  const search = page.getByLabel('Image to look for');
  await search.fill('18');
  await search.press('Enter');
  await page.getByText('test image 18: Bag').waitFor();
  await waitFor('its neighbours', async () => (await page.locator('.explore-near .explore-tile').count()) === 8);
  const id = /#\/map\/(job_\w+)/.exec(page.url())[1];
  const map = await daemon.api(`v1/jobs/${id}/projection`);
  const far = (j) => (map.x[j] - map.x[18]) ** 2 + (map.y[j] - map.y[18]) ** 2;
  const nearest = map.index.filter((i) => i !== 18).sort((a, b) => far(a) - far(b)).slice(0, 8);
  assert.deepEqual((await page.locator('.explore-near .num').allTextContents()).map(Number), nearest);
  await search.fill('12345');
  await search.press('Enter');
  await page.getByText('image 12345 is not on it').waitFor();
  await pad().focus();
  for (let i = 0; i < 8; i++) await page.keyboard.press('+');
  await waitFor('fewer in sight', async () => (await points()) < all);
  await page.keyboard.press('0');
  await waitFor('all in sight', async () => (await points()) === all);
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme });
    assert.deepEqual(await seriousViolations(), [], theme);
  }
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'As seen (PNG)' }).click()]);
  assert.match(file.suggestedFilename(), /map\.png$/);

  await page.getByRole('link', { name: 'Explore from here' }).click();
  await page.getByText('test image 18, Bag').waitFor({ timeout: 20000 });
});

test('what lies under the hand is shown, and a press takes it', async () => {
  const job = await daemon.api('v1/jobs', { kind: await maker(), from: base.id, params: { n: 300 } });
  await finished(job.id);
  await open(`#/runs/${job.id}`);
  await page.waitForURL(/#\/map\//);
  await waitFor('points', async () => (await points()) > 290, 20000);
  const map = await daemon.api(`v1/jobs/${job.id}/projection`);
  const [left, right, bottom, top] = [Math.min(...map.x), Math.max(...map.x), Math.min(...map.y), Math.max(...map.y)];
  const i = map.x.indexOf(left); // at the edge: alone
  const { x, y, width, height } = await pad().boundingBox();
  const scale = 0.88 * Math.min(width / (right - left), height / (top - bottom));
  const at = [x + width / 2 + (map.x[i] - (left + right) / 2) * scale, y + height / 2 - (map.y[i] - (bottom + top) / 2) * scale];
  await page.mouse.move(...at);
  await page.locator('.scatter-tip', { hasText: `${map.index[i]} · ${map.classes[map.label[i]]}` }).waitFor();
  await page.mouse.click(...at);
  await page.getByText(`test image ${map.index[i]}: ${map.classes[map.label[i]]}`).waitFor();
  await page.waitForURL((address) => address.hash.endsWith(`?image=${map.index[i]}`));
});

test('t-SNE moves on the page, with its curve, and is stopped there', async () => {
  const job = await daemon.api('v1/jobs', { kind: await maker(), preset: 'tsne', from: base.id, params: { n: 500, iterations: 100000 } });
  await open(`#/runs/${job.id}`);
  await waitFor('points', async () => (await points()) > 400, 30000);
  const before = await frames();
  await waitFor('it to move', async () => (await frames()) > before + 2, 30000);
  await waitFor('its curve', async () => Number(await page.locator('.chart').first().getAttribute('data-points')) > 50, 20000);
  assert.match(await page.locator('.facts').textContent(), /points\/s/);
  await page.getByRole('button', { name: 'Stop and keep', exact: true }).click();
  await page.getByRole('button', { name: 'End the run' }).click();
  await pill('succeeded');
  await page.getByText('classes kept').waitFor();
  // The explorer leads codes about on it.
  await page.goto(`${daemon.url}#/explore/${base.id}?axes=${job.id}`);
  const chosen = page.getByRole('combobox', { name: 'What the map shows' });
  await waitFor('its map', async () => (await chosen.inputValue()) === job.id, 20000);
  const map = page.getByRole('application', { name: 'Map of the codes' });
  await waitFor('its points', async () => Number(await map.getAttribute('data-points')) === 500, 20000);
  const image = page.getByRole('img', { name: /^Decoded image/ });
  const z = await image.getAttribute('data-z');
  const box = await map.boundingBox();
  await page.mouse.click(box.x + box.width * 0.3, box.y + box.height * 0.6);
  await waitFor('a blend of what is near', async () => (await image.getAttribute('data-z')) !== z);
});

test('the form of a new run has its fields and sends what they say', async () => {
  await open(`#/new/${await maker()}`);
  await page.locator('.choice', { hasText: 'tsne' }).click();
  await page.getByLabel(/^space\b/).selectOption('pixels');
  await page.getByRole('textbox', { name: /^n\b/ }).fill('200');
  await waitFor('its curl line', async () => /"preset":"tsne".*"params":\{"space":"pixels","n":200\}/.test(
    await page.locator('.form-side code').textContent()));
  await waitFor('its estimate', async () => /memory/.test(await page.locator('.estimate').textContent()));
  assert.doesNotMatch(await page.locator('.estimate').textContent(), /parameters/);
  await page.getByRole('button', { name: 'Start run' }).click();
  await page.waitForURL(/#\/map\/job_/);
  await pill('succeeded');
  await waitFor('points', async () => (await points()) > 190, 20000);
});

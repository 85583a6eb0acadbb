// The form of a new run: in step with its JSON, from a run, as a fork, with the search space of a study.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from './harness.mjs';
import { box, daemon, finished, open, page, REFUSED, seriousViolations, session } from './session.mjs';

const QUICK = { kind: 'ae', name: 'parent', params: { train_limit: 500, epochs: 2, latent_dim: 3, preview_every_epochs: 0 } };
let parent;

session({ prepare: async () => { parent = await finished((await daemon.api('v1/jobs', QUICK)).id); } });

const area = () => page.locator('.json-text');
const request = async () => JSON.parse(await area().inputValue());
const says = (what, ask) => waitFor(what, async () => ask(await request()));
const start = () => page.locator('.start button');
const line = () => page.locator('.form-side code').textContent();
const field = (name) => page.locator('.field', { has: box(name) });

test('the form and its JSON are in step both ways, and nothing that is typed is lost', async () => {
  await open('#/new', { allow: REFUSED });
  await box('latent_dim').fill('5');
  await says('the form in the JSON', (body) => body.kind === 'ae' && body.params.latent_dim === 5);
  await area().fill('{"kind": "ae", "preset": "report", "name": "typed", "seed": 4,\n "metadata": {"why": "x"}, "params": {"channels": [4, 8], "early_stopping": {"patience": 2}, "lr": 0.002}}');
  await waitFor('the fields', async () => (await box('channels').inputValue()) === '4, 8' && (await box('name').inputValue()) === 'typed');
  assert.deepEqual([await box('lr').inputValue(), await box('seed').inputValue(), await box('latent_dim').inputValue(),
    await box('patience').inputValue()], ['0.002', '4', '8', '2']);
  assert.equal(await page.getByRole('radio', { name: /^report as/ }).isChecked(), true);
  await waitFor('the curl line', async () => (await line()).includes('"metadata":{"why":"x"}'));
  await field('lr').getByRole('button', { name: 'more lr' }).click();
  await says('what has no field is still there', (body) => body.params.lr === 0.005 && body.metadata.why === 'x'
    && body.preset === 'report' && body.params.channels.length === 2);
  await area().fill(JSON.stringify({ kind: 'vae', params: { beta: 2 } }));
  await waitFor('another kind', async () => (await page.locator('#kind').inputValue()) === 'vae'
    && (await box('beta').inputValue()) === '2');
  await page.locator('.estimate', { hasText: 'parameters' }).waitFor();
  assert.equal(await area().inputValue(), '{"kind":"vae","params":{"beta":2}}', 'a text that says the same stays as it was typed');
});

test('what is wrong has its line and its field', async () => {
  await open('#/new', { allow: REFUSED });
  await page.locator('.estimate', { hasText: 'parameters' }).waitFor();
  await area().fill('{"kind": "ae",\n "params": {"latent_dim": }}');
  await page.getByRole('button', { name: /line 2, column 27: a value is missing/ }).waitFor();
  assert.equal(await start().isDisabled(), true);
  await area().fill('{"kind": "ae",\n "params": {\n  "latent_dim": 0,\n  "latnt_dim": 3}}');
  await page.getByRole('button', { name: /^line 3: must be 1..512/ }).waitFor();
  const unknown = page.getByRole('button', { name: /^line 4: .*did you mean/ });
  await unknown.waitFor();
  await field('latent_dim').locator('.error').filter({ hasText: '512' }).waitFor();
  await unknown.click();
  const selected = await area().evaluate((node) => node.value.slice(node.selectionStart, node.selectionEnd));
  assert.match(selected, /latnt_dim/);
  await area().fill('[]');
  await page.getByRole('button', { name: /a request is an object/ }).waitFor();
  assert.equal(await start().isDisabled(), true);
  await box('latent_dim').fill('6');
  await says('the form wins again', (body) => body.params.latent_dim === 6);
  assert.equal(await start().isDisabled(), false);
  await box('latent_dim').press('ArrowUp');
  await says('a little more', (body) => body.params.latent_dim === 7);
});

test('groups say what is changed; a parameter is found; all of it goes back', async () => {
  await open('#/new/ae', { allow: REFUSED });
  await page.locator('.estimate', { hasText: /time in all(about |under )?\d/ }).waitFor();
  await box('latent_dim').fill('5');
  await page.locator('.group', { hasText: 'latent_dim' }).locator('.group-count', { hasText: '1 changed' }).waitFor();
  const shown = () => page.locator('.params-form .field:visible').count();
  const all = await shown();
  await page.getByRole('searchbox').fill('retention');
  await waitFor('one group is left, and open', async () => (await page.locator('.group:visible').count()) === 1 && (await shown()) > 0);
  await page.getByRole('searchbox').fill('');
  await page.getByLabel('only what is changed').check();
  await waitFor('one field', async () => (await shown()) === 1 && all > 5);
  await page.getByRole('button', { name: 'As the preset' }).click();
  await waitFor('the shortest request', async () => (await line()).includes(`'{"kind":"ae"}'`));
  await page.getByRole('button', { name: 'call it ae-8' }).click();
  await says('the name', (body) => body.name === 'ae-8');
});

test('a fork starts with what is in force there; what may not change is locked', async () => {
  await open(`#/new/ae?fork=parent@1`, { allow: REFUSED });
  await page.getByRole('heading', { level: 1, name: 'Fork of parent' }).waitFor();
  await waitFor('the net is locked', () => box('latent_dim').isDisabled());
  assert.deepEqual([await box('latent_dim').inputValue(), await box('lr').isDisabled(), await box('train_limit').isDisabled()],
    ['3', false, true]);
  await says('nothing is changed', (body) => body.checkpoint === 1 && body.params === undefined);
  await box('epochs').fill('1');
  await field('epochs').locator('.error').filter({ hasText: /epochs/ }).waitFor();
  await box('epochs').fill('3');
  await box('lr').fill('0.004');
  await box('name').fill('branch');
  await says('what is changed', (body) => body.params.epochs === 3 && body.params.lr === 0.004 && Object.keys(body.params).length === 2);
  await page.locator('.estimate', { hasText: 'time from there on' }).waitFor();
  assert.match(await line(), new RegExp(`v1/jobs/${parent.id}/fork`));
  await start().click();
  await page.waitForURL(/#\/runs\/job_/);
  const job = await finished('branch');
  assert.deepEqual([job.status, job.from.job, job.from.checkpoint, job.params.lr, job.params.epochs, job.params.latent_dim],
    ['succeeded', parent.id, 1, 0.004, 3, 3]);
});

test('a fork of a run that is done proposes more epochs, from the address that names a checkpoint of the same kind', async () => {
  await open(`#/new/ae?from=${parent.id}@last`, { allow: REFUSED });
  await waitFor('more epochs', async () => (await box('epochs').inputValue()) === '4');
  await says('they are sent', (body) => body.checkpoint === 'last' && body.params.epochs === 4);
  await page.locator('.estimate', { hasText: 'time from there on' }).waitFor();
});

test('a run is repeated from its parameters, on several seeds, after another; and a kind goes on from the run that the address names',
  async () => {
  await open(`#/new/ae?like=${parent.id}`, { allow: REFUSED });
  await waitFor('its parameters', async () => (await box('train_limit').inputValue()) === '500'
    && (await box('latent_dim').inputValue()) === '3');
  await page.getByText('Repeats, priority').click();
  await box('seeds').fill('1, 2, 3');
  await box('priority').fill('7');
  await page.getByRole('button', { name: 'Start run on 3 seeds' }).waitFor();
  await says('seeds and priority', (body) => body.seeds.length === 3 && body.priority === 7 && body.params.epochs === 2
    && body.name === 'parent-again');
  await page.goto(`${daemon.url}#/new/finetune?from=parent@1`);
  const from = page.getByRole('combobox', { name: /^from/ });
  await waitFor('the run and its checkpoint', async () => (await from.inputValue()) === 'parent'
    && (await line()).includes('"from":"parent@1"'));
});

test('the search space of a study is edited in rows', async () => {
  await open('#/new/study', { allow: REFUSED });
  await page.locator('.rows-field select').first().selectOption('ae');
  await page.getByRole('button', { name: 'Change a parameter' }).click();
  await page.getByRole('textbox', { name: 'parameter of the base' }).or(page.getByRole('combobox',
    { name: 'parameter of the base' })).fill('epochs');
  await page.getByRole('textbox', { name: 'its value' }).fill('2');
  await page.getByRole('button', { name: 'Add a parameter' }).click();
  const name = page.locator('.space-row .space-name');
  await name.fill('lr');
  await name.press('Tab');
  await says('a range that makes sense', (body) => body.params.base.params.epochs === 2 && body.params.space.lr.log === true
    && body.params.space.lr.low < body.params.space.lr.high);
  await page.getByRole('textbox', { name: 'lr from' }).fill('1e-4');
  await page.getByRole('textbox', { name: 'lr to' }).fill('1e-5');
  await page.locator('.rows-field', { hasText: 'space' }).locator('.error').filter({ hasText: /^lr: / }).waitFor();
  await page.getByRole('textbox', { name: 'lr to' }).fill('0.01');
  await box('trials').fill('3');
  await page.locator('.estimate', { hasText: 'runs' }).waitFor();
  await area().fill(JSON.stringify({ ...(await request()), params: { ...(await request()).params,
    space: { lr: { low: 1e-4, high: 0.01, log: true }, n: { values: [1, 2] }, 'hidden.0': { low: 8, high: 32, when: { n: 2 } } } } }));
  await waitFor('three rows', async () => (await page.locator('.space-row').count()) === 3);
  assert.deepEqual([await page.getByRole('textbox', { name: 'values of n' }).inputValue(),
    await page.getByRole('textbox', { name: 'hidden.0 is there when' }).inputValue()], ['1, 2', 'n=2']);
  await page.getByRole('button', { name: 'remove n', exact: true }).click();
  await page.locator('.rows-field .error').filter({ hasText: /hidden\.0/ }).waitFor();
  await page.getByRole('button', { name: 'remove hidden.0' }).click();
  await says('one is left', (body) => JSON.stringify(Object.keys(body.params.space)) === '["lr"]');
  await page.locator('.estimate', { hasText: 'runs' }).waitFor();
});

test('neither theme has anything serious that axe-core finds, in the form of a net and of a study', async () => {
  for (const colorScheme of ['light', 'dark']) {
    await page?.context().close();
    await open('#/new/study', { colorScheme, bypassCSP: true, allow: REFUSED, viewport: { width: 360, height: 740 } });
    await page.getByRole('radio', { name: /^report-ae/ }).check();
    await waitFor('its space', async () => (await page.locator('.space-row').count()) > 8);
    await page.evaluate(() => document.querySelectorAll('details').forEach((node) => { node.open = true; }));
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'no sideways scrolling');
    assert.deepEqual(await seriousViolations(), [], colorScheme);
  }
});

// Which runs the table shows, and in what order: pure functions, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age } from '../../web/lib/format.js';
import { bestOf, counts, filtered, fromQuery, groupedByKind, newsOf, phaseOf, PHASES, sorted, span, toQuery } from '../../web/lib/table.js';

const job = (id, more) => ({ id, name: null, kind: 'ae', preset: 'default', status: 'succeeded', dataset: 'd', created_at_ms: 0,
  train_s: 0, best: null, params: {}, ...more });
const ids = (jobs) => jobs.map(({ id }) => id).join();

test('rows are sorted by any column, those without a value last either way, equal ones as they came', () => {
  const jobs = [job('a', { best: { metric: 'x', value: 2 } }), job('b'), job('c', { best: { metric: 'x', value: 1 } }),
    job('d', { best: { metric: 'x', value: 2 } })];
  assert.equal(ids(sorted(jobs, 'best', false)), 'c,a,d,b');
  assert.equal(ids(sorted(jobs, 'best', true)), 'a,d,c,b');
  assert.equal(ids(sorted(jobs, '', false)), 'a,b,c,d');
  assert.equal(ids(sorted([job('a', { status: 'failed' }), job('b', { status: 'queued' }), job('c', { status: 'running', progress: {} })],
    'status', false)), 'c,b,a');
  assert.equal(ids(sorted([job('a', { created_at_ms: 1 }), job('b', { created_at_ms: 2 })], 'created', false)), 'b,a',
    'the youngest has the least age');
  assert.equal(ids(sorted([job('x', { name: 'Zoo' }), job('y', { name: 'ant' })], 'name', false)), 'y,x');
});

test('a filter wants every word, of what the row says or of a parameter', () => {
  const jobs = [job('job_1', { name: 'shoes', params: { beta: 2, channels: [8, 16] } }),
    job('job_2', { kind: 'vae', status: 'pausing', params: { beta: 20 } })];
  const only = (text, more = {}) => ids(filtered(jobs, { text, ...more }));
  assert.equal(only(''), 'job_1,job_2');
  assert.equal(only('SHO ae'), 'job_1');
  assert.equal(only('beta=2'), 'job_1');
  assert.equal(only('channels=[8,16]'), 'job_1');
  assert.equal(only('beta=3'), '');
  assert.equal(only('nothing=2'), '');
  assert.equal(only('', { statuses: new Set(['running']) }), 'job_2', 'what is pausing still runs');
  assert.equal(only('', { kinds: new Set(['ae']) }), 'job_1');
});

test('groups of a kind have their sums', () => {
  const best = (value, metric = 'val_loss') => ({ metric, value });
  const groups = groupedByKind([job('a', { kind: 'z', best: best(2), train_s: 1 }), job('b'),
    job('c', { kind: 'z', status: 'running', best: best(1), train_s: 2 })]);
  assert.deepEqual(groups.map(({ key, jobs, running, seconds }) => [key, ids(jobs), running, seconds]),
    [['ae', 'b', 0, 0], ['z', 'a,c', 1, 3]]);
  assert.deepEqual(groups.map((group) => group.best), [null, best(1)]);
  assert.equal(bestOf([job('a', { best: best(1) }), job('b', { best: best(1, 'fcd') })]), null);
  assert.equal(bestOf([job('a', { best: best(0.5, 'val_accuracy') }), job('b', { best: best(0.9, 'val_accuracy') })]).value, 0.9);
  assert.deepEqual([...counts([job('a'), job('b', { status: 'queued' }), job('c')], phaseOf, PHASES)], [['queued', 1], ['succeeded', 2]]);
});

test('what is shown goes into the address and comes back', () => {
  const shown = { text: 'beta=2 x', statuses: new Set(['running', 'failed']), kinds: new Set(['vae']), sort: 'best', down: true,
    group: 'kind' };
  assert.equal(toQuery(shown), 'q=beta%3D2+x&status=running,failed&kind=vae&sort=-best&group=kind');
  assert.deepEqual(fromQuery(new URLSearchParams(toQuery(shown))), shown);
  assert.equal(fromQuery(new URLSearchParams('sort=constructor')).sort, '');
});

test('a span of rows, news of a job, an age', () => {
  assert.deepEqual(span(['a', 'b', 'c', 'd'], 'c', 'a'), ['a', 'b', 'c']);
  assert.deepEqual(span(['a', 'b'], undefined, 'b'), ['b']);
  assert.deepEqual(span(['a', 'b'], 'a', 'x'), []);
  assert.equal(newsOf(undefined, job('a')), null);
  assert.deepEqual(newsOf(undefined, job('a'), true), { status: 'succeeded' }, 'begun and ended between two readings');
  assert.equal(newsOf(undefined, job('a', { status: 'queued' }), true), null);
  assert.deepEqual(newsOf(job('a', { status: 'running' }), job('a')), { status: 'succeeded' });
  assert.equal(newsOf(job('a', { status: 'queued' }), job('a', { status: 'running' })), null);
  assert.deepEqual(newsOf(job('a'), job('a', { warnings: ['w'] })), { warning: 'w' });
  assert.deepEqual([age(500), age(61000), age(7200000), age(200000000)], ['0 s', '1 min', '2 h', '2 d']);
});

// What runs beside each other have in common: pure functions, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestIndices, branched, branchOf, differences, epochShown, meanOf, outcomes, repeatsOf, sharedSeries, slotOf,
  tableCsv } from '../../web/lib/compare.js';

const job = (id, more) => ({ id, kind: 'ae', preset: 'default', dataset: 'd', seed: 0, name: null, from: null, params: {}, ...more });
const series = (step, value, epoch = step) => ({ step, epoch, time_ms: step, value, min: value, max: value });

test('a run keeps its colour when another goes, and a new one takes what is free', () => {
  const slots = new Map();
  assert.deepEqual(['a', 'b', 'c'].map((id) => slotOf(slots, id)), [0, 1, 2]);
  slots.delete('b');
  assert.deepEqual(['a', 'd', 'c', 'e'].map((id) => slotOf(slots, id)), [0, 1, 2, 3]);
});

test('series that two runs draw have a chart, those that stand for a run first', () => {
  const row = (name, more) => ({ name, headline: false, per_unit: false, per_class: false, ...more });
  const kinds = new Map([['ae', { series: [row('lr'), row('loss', { headline: true }), row('kl', { per_unit: true })] }],
    ['gan', { series: [row('lr'), row('fcd', { headline: true })] }]]);
  const names = (...all) => sharedSeries(all, kinds).map(({ name }) => name);
  assert.deepEqual(names(job('a'), job('b')), ['loss', 'lr']);
  assert.deepEqual(names(job('a'), job('b', { kind: 'gan' })), ['lr']);
  assert.deepEqual(names(job('a', { kind: 'gan' })), ['fcd', 'lr']);
});

test('parameters that differ, and those that only some have', () => {
  const rows = differences([job('a', { name: 'first', params: { lr: 1, channels: [8, 16] } }),
    job('b', { params: { lr: 2, channels: [8, 16], beta: 1 }, from: { job: 'a', checkpoint: 3 } })]);
  const of = (name) => rows.find((row) => row.name === name);
  assert.deepEqual(of('lr'), { name: 'lr', values: [1, 2], differs: true });
  assert.equal(of('channels').differs, false);
  assert.deepEqual(of('beta').values, [null, 1]);
  assert.deepEqual(of('from').values, [null, 'first@3']);
  assert.equal(of('kind').differs, false);
});

test('the best is the least, or the most where that is better, and nothing where all are the same', () => {
  assert.deepEqual(bestIndices([2, 1, null, 1], 'val_loss'), [1, 3]);
  assert.deepEqual(bestIndices([0.9, 0.8], 'accuracy'), [0]);
  assert.deepEqual(bestIndices([1, 1], 'val_loss'), []);
  assert.deepEqual(bestIndices([1, null], 'val_loss'), []);
  const rows = outcomes([job('a', { best: { metric: 'val_loss', value: 1 }, test: { loss: 2, classes: [1] }, train_s: 3 }),
    job('b', { best: { metric: 'fcd', value: 5 }, lineage_train_s: 2, train_s: 1 })]);
  assert.deepEqual(rows.map(({ name, values }) => [name, values]), [['best val_loss', [1, null]], ['best fcd', [null, 5]],
    ['test loss', [2, null]], ['trained for', [3, 2]]]);
});

test('runs that differ in their seed only are repeats of one', () => {
  const all = [job('a', { params: { lr: 1 } }), job('b', { params: { lr: 2 } }), job('c', { seed: 5, params: { lr: 1 } }),
    job('d', { params: { lr: 1 }, from: { job: 'x' } })];
  assert.deepEqual(repeatsOf(all).map((group) => group.map(({ id }) => id)), [['a', 'c']]);
});

test('the mean of curves, between points that only one of them has, as far as each goes', () => {
  const mean = meanOf([series([1, 2, 3, 4], [1, 2, 3, 4]), series([1, 3], [3, 5])]);
  assert.deepEqual(mean.step, [1, 2, 3, 4]);
  assert.deepEqual(mean.value, [2, 3, 4, 4]);
  assert.deepEqual([mean.min, mean.max], [[1, 2, 3, 4], [3, 4, 5, 4]]);
  const sd = meanOf([series([1], [1]), series([1], [3])], 'sd');
  assert.ok(Math.abs(sd.max[0] - sd.value[0] - Math.SQRT2) < 1e-12);
  assert.deepEqual(meanOf([series([1, 2], [1, null]), series([1, 2], [2, 4])]).value, [1.5, 4], 'what is no number counts for nothing');
  assert.deepEqual(meanOf([series([1, 2, 3], [1, 2, 3]), series([1, 3], [3, null])]).value, [2, 2, 3], 'nor what would lie beside it');
  assert.deepEqual(meanOf([undefined]).step, []);
});

test('a fork begins where it left its parent, if that is here', () => {
  const [parent, fork] = [job('a'), job('b', { from: { job: 'a', checkpoint: 2 } })];
  assert.equal(branchOf(fork, [fork]), null);
  assert.deepEqual(branchOf(fork, [parent, fork]), { parent, epoch: 2 });
  assert.equal(branchOf(job('c', { kind: 'head', from: { job: 'a', checkpoint: 2 } }), [parent]), null,
    'another kind begins its own curve');
  assert.deepEqual(branched(series([10, 20, 30], [3, 2, 1], [1, 2, 3]), 2).step, [20, 30]);
  assert.deepEqual(branched(series([10], [3], [1]), 2).step, []);
});

test('the picture of an epoch, or the nearest before it; a table as a file', () => {
  assert.deepEqual([0, 3, 4, 9].map((epoch) => epochShown([1, 3, 6], epoch)), [null, 3, 3, 6]);
  assert.equal(tableCsv(['a,b', 'c'], [{ name: 'x', values: [1, null] }, { name: 'y', values: [[1, 2], 'say "no"'] }]),
    ',"a,b",c\nx,1,\ny,"[1,2]","say ""no"""\n');
});

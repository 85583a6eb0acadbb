import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, padded, tickText, ticksOf } from '../../web/lib/plot.js';
import { axesOf, band, bestSoFar, moments, place, reasons, repeats, sorted, states, telling, valueAt, valueAxis,
  within } from '../../web/lib/trials.js';
import { retraining } from '../../web/panels/study_best.js';
import { carried, snapped } from '../../web/panels/study_parallel.js';
import { gallery } from '../../web/panels/study_sheet.js';
import { ranks } from '../../web/panels/study_slices.js';

const trial = (number, value, params, more = {}) => ({ number, phase: 'trial', of: number, state: value === null ? 'infeasible'
  : 'complete', value, params,
  seed: params.seed ?? 0, epochs: 4, train_s: 1, reason: null, job: `job_${number}`, ...more });
const space = { lr: { low: 1e-4, high: 1e-1, log: true }, units: { low: 2, high: 8 }, act: { values: ['relu', 'tanh'] },
  wide: { low: 0, high: { of: 'units' }, when: { act: 'tanh' } } };
const trials = [trial(0, 0.5, { lr: 1e-3, units: 4, act: 'relu' }), trial(1, 0.2, { lr: 1e-2, units: 8, act: 'tanh', wide: 3 }),
  trial(2, null, { lr: 1e-4, units: 2, act: 'tanh', wide: 1 }, { reason: 'too narrow' }),
    trial(3, 0.3, { lr: 0.1, units: 2, act: 'relu' }, { state: 'pruned' })];
const axes = axesOf(['lr', 'units', 'act', 'wide'], space, trials);
const value = valueAxis('val_loss', trials);

test('axes have the bounds of the space, its logarithms, its choices; a bound that hangs on another is what trials had', () => {
  assert.deepEqual(axes, [{ name: 'lr', low: 1e-4, high: 0.1, log: true, whole: false },
    { name: 'units', low: 2, high: 8, log: false, whole: true },
    { name: 'act', choices: ['relu', 'tanh'] }, { name: 'wide', low: 0, high: 3, log: false, whole: true }]);
  assert.deepEqual(valueAxis('m', [trial(0, 1, {}), trial(1, 20, {})]), { name: 'm', low: 1, high: 20, log: true });
  assert.ok(valueAxis('m', []).high > valueAxis('m', []).low && valueAxis('m', [trial(0, 0, {})]).high > 0);
  assert.deepEqual(telling(axesOf(['a', 'b'], { a: { values: [1] }, b: { values: [1, 2] } }, [])).map(({ name }) => name), ['b']);
});

test('places on an axis and the values there are each other\'s inverse', () => {
  assert.equal(place(axes[0], 1e-4), 0);
  assert.ok(Math.abs(place(axes[0], 0.1) - 1) < 1e-12 && Math.abs(place(axes[0], 1e-3) - 1 / 3) < 1e-12);
  assert.equal(place(axes[2], 'tanh'), 0.75);
  assert.deepEqual([place(axes[3], undefined), place(axes[2], 'gelu'), place(axes[0], null)], [null, null, null]);
  for (const axis of axes) for (const share of [0.25, 0.75]) {
    const there = valueAt(axis, share);
    assert.ok(Math.abs(place(axis, there) - share) < 1e-9, `${axis.name} ${share} ${there}`);
  }
});

test('a brush holds what lies in it; a trial without that parameter is out', () => {
  const left = (brushes) => within(trials, axes, value, brushes).map(({ number }) => number);
  assert.deepEqual(left({}), [0, 1, 2, 3]);
  assert.deepEqual(left({ lr: [0.3, 0.7] }), [0, 1]);
  assert.deepEqual(left({ wide: [0, 1] }), [1, 2]);
  assert.deepEqual(left({ act: [0.5, 1], val_loss: [0, 1] }), [1]);
  assert.deepEqual(snapped(axes[2], [0.6, 0.7]), [0.5, 1]);
  assert.deepEqual(snapped(axes[2], [0.2, 0.6]), [0, 1]);
  assert.deepEqual(snapped(axes[0], [0.2, 0.6]), [0.2, 0.6]);
  const [before, after] = [{ low: 0, high: 10 }, { low: -10, high: 10 }];
  assert.deepEqual(carried([0.2, 1], before, after), [0.6, 1]);
  assert.deepEqual(carried([0, 0.5], after, before), [0, 0]);
});

test('the best so far is of complete trials only, either way round', () => {
  assert.deepEqual(bestSoFar(trials, 'minimize'), [0.5, 0.2, 0.2, 0.2]);
  assert.deepEqual(bestSoFar([trial(0, null, {}), ...trials.slice(0, 2)], 'maximize'), [null, 0.5, 0.5]);
  assert.deepEqual(bestSoFar([trials[0], trial(1, 0.1, {}, { state: 'pruned' })], 'minimize'), [0.5, 0.5]);
  assert.deepEqual([...ranks(trials, 'minimize')], [[1, 1], [3, 0.5], [0, 0]]);
  assert.deepEqual([...ranks(trials, 'maximize')], [[0, 1], [3, 0.5], [1, 0]]);
  assert.deepEqual(gallery(trials, { direction: 'minimize' }).map(({ number }) => number), [1, 3, 0, 2]);
});

test('repeats differ in the seed only: mean, deviation, band', () => {
  const rows = [trial(0, 1, { a: 1, seed: 1 }), trial(1, 3, { a: 1, seed: 2 }), trial(2, 0.5, { a: 2, seed: 1 })];
  const groups = repeats(rows, 'minimize');
  assert.deepEqual(groups.map(({ mean, n, params }) => [mean, n, params]), [[0.5, 1, { a: 2 }], [2, 2, { a: 1 }]]);
  assert.ok(Math.abs(groups[1].sd - Math.SQRT2) < 1e-12);
  assert.deepEqual(moments([]), { n: 0, mean: null, sd: null, low: null, high: null });
  const retrained = repeats([trial(9, 1, {}, { phase: 'retrain', of: 4 }), trial(10, 2, { seed: 5 }, { phase: 'retrain', of: 4 })],
    'maximize');
  assert.deepEqual(retrained.map(({ trials: list, mean }) => [list.length, mean]), [[2, 1.5]]);
  assert.deepEqual(band([{ epoch: [1, 2], value: [1, 2] }, { epoch: [1], value: [3] }, { epoch: [2], value: [null] }])
    .map(({ epoch, mean, n }) => [epoch, mean, n]), [[1, 2, 2], [2, 2, 1]]);
});

test('the table: sorted by anything, what has nothing there last, either way', () => {
  const order = (sort) => sorted(trials, sort).map(({ number }) => number);
  assert.deepEqual(order({ by: 'value', down: false }), [1, 3, 0, 2]);
  assert.deepEqual(order({ by: 'value', down: true }), [0, 3, 1, 2]);
  assert.deepEqual(order({ by: 'wide', down: true }), [1, 2, 0, 3]);
  assert.deepEqual(order({ by: 'act', down: false }), [0, 3, 1, 2]);
  assert.deepEqual([...states(trials)], [['complete', 2], ['infeasible', 1], ['pruned', 1]]);
  assert.deepEqual(reasons([...trials, trial(4, null, {}, { reason: 'a' }), trial(5, null, {}, { reason: 'a' })])
    .map(([reason, list]) => [reason, list.length]), [['a', 2], ['too narrow', 1]]);
});

test('ticks, pixels and what is nearest', () => {
  assert.deepEqual(ticksOf(axes[0]).map(({ text }) => text), ['1e-4', '0.001', '0.01', '0.1']);
  assert.deepEqual(ticksOf({ low: 1, high: 3, whole: true }).map(({ text }) => text), ['1', '2', '3']);
  assert.deepEqual(ticksOf(axes[2]), [{ share: 0.25, text: 'relu' }, { share: 0.75, text: 'tanh' }]);
  assert.deepEqual([tickText(0.00012), tickText(0), tickText(12346), tickText(1.5e7)], ['1.2e-4', '0', '12350', '1.5e7']);
  assert.deepEqual([padded(0, 100)(0), padded(100, 0)(0), padded(100, 0)(1)], [8, 92, 8]);
  const items = [{ key: 1, at: [[0, 0], [50, 50]] }, { key: 2, at: [[60, 50]] }];
  assert.deepEqual([nearest(items, 54, 50)?.key, nearest(items, 58, 50)?.key, nearest(items, 200, 0)], [1, 2, null]);
});

test('training the best again asks for its own parameters, in full', () => {
  const kind = { kind: 'x', default_preset: 'd', presets: [{ name: 'd', params: { lr: 1, epochs: 50 } }] };
  const job = { preset: 'd', name: 's-3', dataset: 'fashion-mnist', seed: 0, params: { lr: 2, epochs: 4 } };
  assert.deepEqual(retraining(kind, job, { epochs: 50, seeds: [7], name: 'best' }),
    { kind: 'x', name: 'best', seed: 7, params: { lr: 2 } });
  assert.deepEqual(retraining(kind, job, { epochs: 60, seeds: [1, 2], name: 'best' }),
    { kind: 'x', name: 'best', seeds: [1, 2], params: { lr: 2, epochs: 60 } });
});

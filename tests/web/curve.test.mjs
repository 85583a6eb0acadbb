// curve.js: points from columns and from the stream become rows to draw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPoint, align, between, emptySeries, placesOf, refreshed, smooth, sparkline, spliced } from '../../web/lib/curve.js';
import { logRange, logTicks, mostOf, placeText } from '../../web/lib/scale.js';

function series(...points) {
  const out = emptySeries();
  for (const [step, epoch, value, at_ms] of points) addPoint(out, { step, epoch, value, at_ms });
  return out;
}

test('a point that is known already is left out', () => {
  const s = series([1, 0.1, 5], [2, 0.2, 4]);
  assert.equal(addPoint(s, { step: 2, epoch: 0.2, value: 9 }), false);
  assert.equal(addPoint(s, { step: 3, epoch: 0.3, value: 3 }), true);
  assert.deepEqual(s.value, [5, 4, 3]);
});

test('fresh columns keep the streamed points that are newer', () => {
  const read = series([1, 0.1, 5], [2, 0.2, 4]);
  const streamed = series([2, 0.2, 99], [7, 0.7, 3]);
  const both = refreshed(read, streamed);
  assert.deepEqual(both.step, [1, 2, 7]);
  assert.deepEqual(both.value, [5, 4, 3]);
  assert.deepEqual(refreshed(undefined, streamed).step, [2, 7]);
  assert.deepEqual(refreshed(read, undefined).step, [1, 2]);
  assert.notEqual(both.step, read.step);
});

test('series with steps of their own share rows', () => {
  const rows = align({ train: series([1, 0.5, 5], [2, 1, 4], [3, 1.5, 3]), val: series([2, 1, 9], [4, 2, 8]) });
  assert.deepEqual(rows.step, [1, 2, 3, 4]);
  assert.deepEqual(rows.epoch, [0.5, 1, 1.5, 2]);
  assert.deepEqual(rows.columns.train.value, [5, 4, 3, undefined]);
  assert.deepEqual(rows.columns.val.value, [undefined, 9, undefined, 8]);
  assert.deepEqual(align({}).step, []);
  assert.deepEqual(align({ train: series([1, 0.5, null]) }).columns.train.value, [null], 'no number is not no point');
});

test('runs of other lengths of epoch meet where their epochs, or their times, do', () => {
  const runs = { a: series([10, 1, 5, 3000], [20, 2, 4, 5000]), b: series([7, 1, 9, 51000], [14, 2, 8, 54000]) };
  const rows = align(runs, 'epoch');
  assert.deepEqual([rows.x, rows.columns.a.value, rows.columns.b.value], [[1, 2], [5, 4], [9, 8]]);
  const timed = align(runs, 'time', (name) => ({ a: 1000, b: 50000 })[name]);
  assert.deepEqual([timed.x, timed.columns.a.value, timed.columns.b.value], [[1, 2, 4], [undefined, 5, 4], [9, undefined, 8]]);
  assert.deepEqual(placesOf(series([1, 1, 5, 2000], [2, 2, 5, null], [3, 3, 5, 4000]), 'time', 1000), [1, 1, 3]);
});

test('a part that is known more closely takes the place of what was there, and newer points stay', () => {
  const coarse = series([10, 1, 1], [20, 2, 2], [30, 3, 3], [40, 4, 4]);
  const fine = series([18, 1.8, 1.8], [21, 2.1, 2.1], [24, 2.4, 2.4]);
  const { step, value } = spliced(coarse, fine);
  assert.deepEqual([step, value], [[10, 18, 21, 24, 30, 40], [1, 1.8, 2.1, 2.4, 3, 4]]);
  assert.deepEqual(spliced(coarse, series([41, 4.1, 0])).step, [10, 20, 30, 40, 41]);
  assert.equal(spliced(coarse, undefined), coarse);
});

test('a place on one axis has its place on another', () => {
  assert.deepEqual([0, 10, 15, 20, 99].map((at) => between([10, 20], [1, 3], at)), [1, 1, 2, 3, 3]);
  assert.equal(between([], [], 5), null);
  assert.deepEqual([0.25, 42, 65, 3600, 3725].map((s) => placeText('time', s)), ['0.25 s', '42 s', '1:05', '1:00:00', '1:02:05']);
  assert.equal(placeText('step', 12345.4), '12,345');
});

test('smoothing starts unbiased and keeps gaps', () => {
  assert.deepEqual(smooth([4, null, 4], 0.5), [4, null, 4]);
  const values = [1, 5, 2];
  assert.equal(smooth(values, 0), values);
  const [first, second] = smooth([0, 1], 0.5);
  assert.equal(first, 0);
  assert.ok(Math.abs(second - 2 / 3) < 1e-12);
});

test('a sparkline spans its box, the newest value at the right', () => {
  const points = sparkline([1, 0.1, 0.01], 90, 24).split(' ').map((p) => p.split(',').map(Number));
  assert.deepEqual(points.map(([x]) => x), [0, 45, 90]);
  assert.deepEqual(points.map(([, y]) => y), [1.5, 12, 22.5]);
  assert.equal(sparkline([1], 90, 24), '');
  assert.equal(sparkline([1, 1], 90, 24), '0.0,22.5 90.0,22.5');
});

test('the logarithmic axis ends one digit outside the values', () => {
  assert.deepEqual(logRange(0.0118, 0.17), [0.01, 0.2]);
  assert.deepEqual(logRange(0.0131, 0.0139), [0.013, 0.014]);
  assert.deepEqual(logRange(3, 3), [3, 6]);
  assert.deepEqual(logRange(null, null), [1e-3, 1]);
});

test('what most values need leaves a hundredth at either end out', () => {
  assert.deepEqual(mostOf([7, null, 3, undefined, 5]), [3, 7]);
  assert.deepEqual(mostOf([...Array.from({ length: 198 }, (_, i) => i + 1), 1e9, -1e9]), [2, 197]);
  assert.equal(mostOf([null]), null);
});

test('a logarithmic axis has labels enough, however little or much it spans', () => {
  assert.deepEqual(logTicks(0.01, 0.2), [0.01, 0.02, 0.05, 0.1, 0.2]);
  assert.deepEqual(logTicks(0.01, 0.03), [0.01, 0.015, 0.02, 0.025, 0.03]);
  assert.deepEqual(logTicks(0.013, 0.014), [0.013, 0.0132, 0.0134, 0.0136, 0.0138, 0.014]);
  assert.deepEqual(logTicks(1e-3, 1e5), [1e-3, 1e-2, 1e-1, 1, 10, 100, 1e3, 1e4, 1e5]);
  for (const most of [1.01, 1.5, 2.9, 3.1, 7, 30, 1e3, 1e5, 1e8]) {
    const { length } = logTicks(1, most);
    assert.ok(length >= 4 && length <= 12, `${length} ticks from 1 to ${most}`);
  }
});

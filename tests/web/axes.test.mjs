// Which curves share a chart: pure functions, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartsOf, classRows, hasNegative, sharesOf } from '../../web/lib/axes.js';

const row = (name, unit, more) => ({ name, unit, per_step: true, per_unit: false, headline: false, ...more });
const shown = (kind) => chartsOf(kind).map(({ title, rows, log, small }) => `${title}: ${rows.map(({ name }) => name)}${log ? ' log' : ''}${small ? ' small' : ''}`);

test('curves of one unit share a chart, those of the headlines come first', () => {
  const series = [row('d_loss', 'nats', { headline: true }), row('d_loss_real', 'nats'), row('d_real', 'probability'), row('d_fake', 'probability'),
    row('g_loss', 'nats', { headline: true }), row('slope', 'squared slope'), row('fcd', 'distance', { headline: true }), row('min_share', 'share'),
    row('share', 'share of samples', { per_class: true }), row('lr', null), row('kl', 'nats', { per_unit: true }), row('active_units', 'units')];
  assert.deepEqual(shown({ series }), ['Loss: d_loss,d_loss_real,g_loss log', 'fcd: fcd log', 'Probability: d_real,d_fake',
    'slope: slope log small', 'min_share: min_share small']);
  assert.equal(sharesOf({ series }).name, 'share');
});

test('what names end with is the title', () => {
  const series = [row('train_loss', 'nats', { headline: true }), row('train_recon', 'nats'), row('train_accuracy', 'share'), row('val_accuracy', 'share')];
  assert.deepEqual(shown({ series }), ['Loss: train_loss,train_recon log', 'Accuracy: train_accuracy,val_accuracy']);
});

test('curves of classes bear their names', () => {
  const rows = classRows(row('share', 'share', { help: 'x' }), ['Bag', 'Coat']);
  assert.deepEqual(rows.map(({ name, label, help }) => [name, label, help]), [['share_0', 'Bag', 'x'], ['share_1', 'Coat', 'x']]);
});

test('a loss that has been below 0 has no logarithm', () => {
  const rows = [row('a', 'nats'), row('b', 'nats')];
  assert.equal(hasNegative(rows, { a: { value: [1, null, 2] } }), false);
  assert.equal(hasNegative(rows, { a: { value: [1] }, b: { value: [null, -0.5] } }), true);
  assert.equal(hasNegative(rows, { a: { value: [70, null] }, b: { value: [-1e-8] } }), false, 'but for a rounding');
});

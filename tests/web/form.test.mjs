// form.js, request.js and format.js: texts become values, values become requests and texts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseValue } from '../../web/lib/form.js';
import { big, bytes, duration, endedBy, gapText, loss, measured, param, progressOf, trained } from '../../web/lib/format.js';
import { request, same } from '../../web/lib/request.js';

test('texts become the values of their type; what is no number is left to the daemon', () => {
  const cases = [
    ['integer', '8', 8], ['integer', ' 8 ', 8], ['integer', 'abc', 'abc'], ['integer', '', ''], ['number', '1e-3', 0.001],
    ['number', '0x', '0x'], ['array', '8, 16,32', [8, 16, 32]], ['array', '', []], ['array', 'none', []],
    ['array', '8, x', [8, 'x']], ['string', ' a ', ' a '],
  ];
  for (const [type, text, value] of cases) assert.deepEqual(parseValue({ type }, text), value, `${type} '${text}'`);
});

test('lists are compared by value', () => {
  assert.ok(same([1, 2], [1, 2]));
  assert.ok(!same([1, 2], [2, 1]));
  assert.ok(!same(8, '8'));
});

test('a request says only what the daemon would not choose anyway', () => {
  const kind = { kind: 'ae', default_preset: 'default', presets: [
    { name: 'default', params: { lr: 0.008, channels: [8, 16], nesterov: false } },
    { name: 'report', params: { lr: 0.001, channels: [8, 16], nesterov: false } }] };
  const job = { preset: 'default', name: null, dataset: 'fashion-mnist', seed: 0, params: { lr: 0.008, channels: [8, 16], nesterov: false } };
  assert.deepEqual(request(kind, job), { kind: 'ae' });
  assert.deepEqual(request(kind, { ...job, preset: 'report' }), { kind: 'ae', preset: 'report', params: { lr: 0.008 } });
  assert.deepEqual(request(kind, { preset: 'default', name: 'x', dataset: 'mine', seed: 3, params: { ...job.params, channels: [8], nesterov: true } }),
    { kind: 'ae', dataset: 'mine', name: 'x', seed: 3, params: { channels: [8], nesterov: true } });
});

test('what a run goes on from is part of its request', () => {
  const kind = { kind: 'finetune', default_preset: 'class1', presets: [{ name: 'class1', params: { lr: 0.001 } }] };
  assert.deepEqual(request(kind, { preset: 'class1', from: 'ae-8', params: { lr: 0.001 } }), { kind: 'finetune', from: 'ae-8' });
  assert.deepEqual(request(kind, { preset: 'class1', from: null, params: {} }), { kind: 'finetune' });
});

test('figures by their name, and how far validation is from training', () => {
  assert.equal(measured('accuracy', 0.8321), '83.21 %');
  assert.equal(measured('val_accuracy', null), '–');
  assert.equal(measured('loss', 0.01234), '0.01234');
  assert.equal(gapText({ gap: 0.0005, relative: 0.049 }), '5.00e-4 (+4.9 %)');
  assert.equal(gapText({ gap: -0.01, relative: -0.1 }), '-0.01000 (−10.0 %)');
  assert.equal(gapText({ gap: 0.1, relative: null }), '0.1000');
});

test('what a run that ended early has to say', () => {
  assert.equal(endedBy({ stop_reason: 'completed' }), '');
  assert.equal(endedBy({ stop_reason: null }), '');
  assert.equal(endedBy({ stop_reason: 'user_cancel' }), 'a request to cancel');
  assert.equal(endedBy({ stop_reason: 'user_stop' }), 'a request to stop');
  assert.equal(endedBy({ stop_reason: 'dataset_changed' }), 'dataset changed');
  assert.equal(trained({ train_s: 0 }), '–');
  assert.equal(trained({ train_s: 42 }), '42 s');
});

test('numbers and times as people read them', () => {
  const cases = [
    [loss(0.0193212), '0.01932'], [loss(0.000012), '1.20e-5'], [loss(0), '0.000'], [loss(50943), '50940'], [loss(null), '–'], [loss(undefined), '–'],
    [duration(450), '0.5 s'], [duration(9970), '10 s'], [duration(59700), '1 min 0 s'], [duration(42000), '42 s'], [duration(125000), '2 min 5 s'], [duration(119600), '2 min 0 s'],
    [duration(3.7e6), '1 h 1 min'], [duration(null), '–'], [bytes(512), '512 B'], [bytes(1536), '1.5 KiB'],
    [bytes(26421880), '25.2 MiB'], [big(3.2e11, 'FLOP'), '320 GFLOP'], [big(999, 'FLOP'), '999 FLOP'], [param([1, 2]), '1, 2'], [param([]), 'none'],
    [param(true), 'on'], [param(0.5), '0.5'],
  ];
  for (const [got, expected] of cases) assert.equal(got, expected);
});

test('progress counts steps, then epochs, then says that it does not know', () => {
  assert.equal(progressOf({ status: 'running', progress: { step: 5, steps: 10, epoch: 0, epochs: 2 } }), 0.5);
  assert.equal(progressOf({ status: 'running', progress: { step: 0, steps: 0, epoch: 1, epochs: 4 } }), 0.25);
  assert.equal(progressOf({ status: 'queued', progress: {} }), null);
  assert.equal(progressOf({ status: 'succeeded', progress: {} }), 1);
});

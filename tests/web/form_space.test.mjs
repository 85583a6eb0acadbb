import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formOf, usualRange, whenOf, whenText } from '../../web/panels/new_space.js';

test('conditions as people write them', () => {
  for (const [text, when] of [['n=2', { n: 2 }], ['n=2,3; act=tanh', { n: [2, 3], act: 'tanh' }], ['', {}]]) {
    assert.deepEqual(whenOf(text), when);
    assert.equal(whenText(when), text);
  }
});

test('a row has a form for what its form can say, the rest is JSON', () => {
  const cases = [[{ low: 1, high: 2 }, 'range'], [{ low: 1, high: 2, log: true, when: { n: 2 } }, 'range'], [{ values: [1, 'a', null, true] }, 'values'],
    [{ low: 0, high: { of: 'kernel.0' } }, 'json'], [{ variants: { a: {} } }, 'json'], [{ values: [[1, 2]] }, 'json'], [3, 'json'], [null, 'json']];
  for (const [spec, form] of cases) assert.equal(formOf(spec), form, JSON.stringify(spec));
});

test('a range that makes sense, by the schema', () => {
  assert.deepEqual(usualRange({ enum: ['a', 'b'] }), { values: ['a', 'b'] });
  assert.deepEqual(usualRange({ type: 'integer', minimum: 1, maximum: 512, default: 8 }), { low: 4, high: 16 });
  assert.deepEqual(usualRange({ type: 'number', minimum: 0, maximum: 0.99, default: 0 }), { low: 0, high: 0.5 });
  const { low, high, log } = usualRange({ type: 'number', minimum: 0, maximum: 10, default: 0.003 });
  assert.ok(log && low > 0 && high > low);
});

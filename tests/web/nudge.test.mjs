import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nudged } from '../../web/lib/nudge.js';

const whole = { type: 'integer', minimum: 0, maximum: 4096 };
const rate = { type: 'number', minimum: 0, maximum: 10 };
const share = { type: 'number', minimum: 0, maximum: 0.99 };

test('numbers go up and down as one would write them', () => {
  const cases = [
    [whole, 8, 1, 9], [whole, 8, -1, 7], [whole, 128, 1, 256], [whole, 128, -1, 64], [whole, 16, -1, 8], [whole, 50, 1, 55], [whole, 50, -1, 45],
    [whole, 300, 1, 400], [whole, 20, -1, 19], [whole, 2000, -1, 1000], [whole, 0, -1, 0], [whole, 4096, 1, 4096],
    [rate, 0.008, 1, 0.01], [rate, 0.008, -1, 0.005], [rate, 0.001, -1, 0.0005], [rate, 0.001, 1, 0.002], [rate, 10, 1, 10], [rate, 0, 1, 0.01], [rate, 0, -1, 0],
    [share, 0, 1, 0.05], [share, 0.1, 1, 0.15], [share, 0.05, -1, 0], [share, 0.99, 1, 0.99], [rate, 'x', 1, 'x'],
  ];
  for (const [schema, value, way, wanted] of cases) assert.equal(nudged(schema, value, way), wanted, `${value} ${way}`);
});

// lib/nudge.js: a little more or less of a number, as one would write it by hand. Pure functions.

const tidy = (value) => Number(value.toPrecision(12));

/** The next of 1, 2, 5, 10, 20, … beyond it. */
function rung(value, way) {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const ladder = [0.5, 1, 2, 5, 10, 20].map((digit) => tidy(digit * power));
  return way > 0 ? ladder.find((step) => step > value * (1 + 1e-9)) : ladder.findLast((step) => step < value * (1 - 1e-9));
}

const isPowerOfTwo = (value) => value >= 16 && Number.isInteger(Math.log2(value));

/** Sizes go by one, then by tens; powers of two double. */
function nextWhole(value, way) {
  if (isPowerOfTwo(value)) return way > 0 ? value * 2 : value / 2;
  const size = Math.abs(value) + (way < 0 ? -1 : 0);
  const step = size < 20 ? 1 : 10 ** Math.floor(Math.log10(size)) / (size < 100 ? 2 : 1);
  return (way > 0 ? Math.floor(value / step) : Math.ceil(value / step)) * step + way * step;
}

/** A share goes by twentieths, what may be of any size by rungs of 1, 2, 5; from 0 it begins at a hundredth or less. */
function nextReal(value, way, { minimum, maximum }) {
  if (minimum === 0 && maximum <= 1 && maximum > 0.3 && maximum < 0.9999
    && (value === 0 || value >= 0.05)) return tidy(Math.round((value + way * 0.05) * 20) / 20);
  if (value === 0) return way > 0 ? (maximum <= 1 ? 1e-5 : 0.01) : -0.01;
  return Math.sign(value) * rung(Math.abs(value), way * Math.sign(value));
}

/** The value after `value` in the direction of `way` (1 or -1), within the bounds of its schema. What is no number stays. */
export function nudged(schema, value, way) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return value;
  const next = schema.type === 'integer' ? nextWhole(value, way) : nextReal(value, way, schema);
  return tidy(Math.min(schema.maximum ?? Infinity, Math.max(schema.minimum ?? -Infinity, next)));
}

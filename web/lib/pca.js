// lib/pca.js: the plane in which codes spread most. Pure functions of rows of numbers, `n` times `d` in one Float32Array.

const STILL = 1e-10; // of the power method: it ends where a direction does not turn any more
const WORK = 3e7; // multiplications: a blink. Of wide codes, every so many rows and fewer rounds do

export const dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

function scaled(v) {
  const length = Math.sqrt(dot(v, v));
  return length > 0 ? v.map((x) => x / length) : v;
}

export function meanOf(codes, n, d) {
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) mean[j] += codes[i * d + j];
  return mean.map((sum) => sum / n);
}

/** [d][d] of every `stride`-th row. */
function covariance(codes, n, d, mean, stride) {
  const sums = new Float64Array(d * d);
  const row = new Float64Array(d);
  let rows = 0;
  for (let i = 0; i < n; i += stride, rows += 1) {
    for (let j = 0; j < d; j++) row[j] = codes[i * d + j] - mean[j];
    for (let j = 0; j < d; j++) for (let k = 0; k <= j; k++) sums[j * d + k] += row[j] * row[k];
  }
  for (let j = 0; j < d; j++) for (let k = 0; k <= j; k++) sums[j * d + k] = sums[k * d + j] = sums[j * d + k] / Math.max(1, rows - 1);
  return sums;
}

const product = (matrix, v, d) => v.map((_, j) => dot(matrix.subarray(j * d, j * d + d), v));

/** The direction that `matrix` stretches most among those at right angles to `others`. */
function stretched(matrix, d, start, others) {
  const apart = (v) => others.reduce((w, other) => { const along = dot(w, other); return w.map((x, j) => x - along * other[j]); }, v);
  const rounds = Math.min(200, Math.ceil(WORK / (2 * d * d)));
  let v = scaled(apart(start));
  for (let round = 0; round < rounds; round++) {
    const next = scaled(apart(product(matrix, v, d)));
    if (!(dot(next, next) > 0)) break; // nothing varies at right angles to the others
    const still = 1 - Math.abs(dot(next, v)) < STILL;
    v = next;
    if (still) break;
  }
  return v;
}

// Uneven, so that no direction is at right angles to it by chance; alike on each call, so that equal codes give equal maps.
const first = (d, k) => Float64Array.from({ length: d }, (_, j) => Math.sin(1 + j * (k + 1.37)));

/** The larger of its numbers are positive ones: a direction and its opposite are the same. */
const upright = (v) => (v.reduce((best, x) => (Math.abs(x) > Math.abs(best) + 1e-9 ? x : best), 0) < 0 ? v.map((x) => -x) : v);

/** {mean, axes: [two directions of length 1], share: of the variance along each}. Codes of one number get a second axis of zeros. */
export function principal(codes, n, d) {
  const mean = meanOf(codes, n, d);
  const matrix = covariance(codes, n, d, mean, Math.max(1, Math.ceil((n * d * d) / 2 / WORK)));
  const axes = [];
  for (let k = 0; k < 2; k++) axes.push(k < d ? upright(stretched(matrix, d, first(d, k), axes)) : new Float64Array(d));
  let total = 0;
  for (let j = 0; j < d; j++) total += matrix[j * d + j];
  return { mean, axes, share: axes.map((axis) => (total > 0 ? dot(axis, product(matrix, axis, d)) / total : 0)) };
}

/** The same plane, turned (and mirrored) within itself so that it lies as much as it can like `before`: a map that is drawn again of
 * codes that have moved a little does not jump. Orthogonal Procrustes in two dimensions. */
export function aligned(axes, before) {
  const [a, b, c, d] = [dot(axes[0], before[0]), dot(axes[0], before[1]), dot(axes[1], before[0]), dot(axes[1], before[1])];
  const mirror = a * d - b * c < 0 ? -1 : 1;
  const turn = Math.atan2(c - mirror * b, a + mirror * d);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return [axes[0].map((x, j) => cos * x + sin * axes[1][j]), axes[0].map((x, j) => mirror * (cos * axes[1][j] - sin * x))];
}

// lib/codes.js: single codes: on the way between two, how far from the codes of images, as text. Pure functions.

import { dot } from './pca.js';

const SILENT = 0.01; // variance of a unit over the images below which it says nothing of them (Burda et al. 2016)
const WORK = 1e7; // multiplications to learn how far codes lie apart: a blink
const QUANTILE = 0.99;
const PARALLEL = 1e-6; // sine of an angle

export function lerp(a, b, t) {
  return Array.from(a, (x, j) => (1 - t) * x + t * b[j]);
}

/** Around the sphere; straight where they point the same way. As POST …/interpolate has it. */
export function slerp(a, b, t) {
  const size = Math.sqrt(dot(a, a) * dot(b, b));
  const angle = size > 0 ? Math.acos(Math.max(-1, Math.min(1, dot(a, b) / size))) : 0;
  const sin = Math.sin(angle);
  if (sin < PARALLEL) return lerp(a, b, t);
  const [from, to] = [Math.sin((1 - t) * angle) / sin, Math.sin(t * angle) / sin];
  return Array.from(a, (x, j) => from * x + to * b[j]);
}

/** Every so many codes, in the units that count. */
function sampleOf(codes, n, d, units) {
  const most = Math.max(64, Math.floor(Math.sqrt(WORK / units.length)));
  const stride = Math.max(1, Math.ceil(n / most));
  const m = Math.ceil(n / stride);
  const rows = new Float32Array(m * units.length);
  for (let i = 0; i < m; i++) units.forEach((unit, k) => { rows[i * units.length + k] = codes[i * stride * d + unit]; });
  return { rows, m, width: units.length };
}

/** Square of the distance to the nearest row but number `own`. */
function nearestTo({ rows, m, width }, v, own) {
  let least = Infinity;
  for (let i = 0; i < m; i++) {
    if (i === own) continue;
    let sum = 0;
    for (let k = 0; k < width && sum < least; k++) sum += (v[k] - rows[i * width + k]) ** 2;
    least = Math.min(least, sum);
  }
  return least;
}

const quantileOf = (values, share) => values.sort()[Math.min(values.length - 1, Math.floor(share * values.length))];

/** How far a code may be from the nearest codes of images before it lies outside of them: as far as 99 % of these from their own
 * nearest. `all` units count, or those that say something. {limit, distance(z), outside(z)} */
export function supportOf(codes, n, d, { all = true, variance = [] } = {}) {
  const told = Array.from({ length: d }, (_, j) => j).filter((j) => all || variance[j] > SILENT);
  const units = told.length ? told : Array.from({ length: d }, (_, j) => j);
  const sample = sampleOf(codes, n, d, units);
  const apart = new Float32Array(sample.m);
  for (let i = 0; i < sample.m; i++) apart[i] = nearestTo(sample, sample.rows.subarray(i * sample.width, (i + 1) * sample.width), i);
  const limit = Math.sqrt(quantileOf(apart, QUANTILE));
  const distance = (z) => Math.sqrt(nearestTo(sample, units.map((unit) => z[unit]), -1));
  return { limit, distance, outside: (z) => distance(z) > limit };
}

/** The same where codes are drawn from the normal distribution and no image has one: by their length. The 99 % quantile of chi with d
 * degrees of freedom (Wilson and Hilferty). */
export function normalSupport(d) {
  const limit = Math.sqrt(d * (1 - 2 / (9 * d) + 2.3263 * Math.sqrt(2 / (9 * d))) ** 3);
  const distance = (z) => Math.sqrt(dot(z, z));
  return { limit, distance, outside: (z) => distance(z) > limit };
}

/** A code as the address has it, and back; null: it is none of `d` numbers. */
export const textOf = (z) => Array.from(z, (x) => Number(x.toPrecision(6))).join(',');
export function codeOf(text, d) {
  const z = (text ?? '').split(',').map((part) => (part.trim() ? Number(part) : NaN));
  return z.length === d && z.every(Number.isFinite) ? z : null;
}

/** Numbers of the normal distribution that follow from a seed (mulberry32; Box and Muller). */
export function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

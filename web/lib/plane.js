// lib/plane.js: planes through the space of codes: what a map shows, and where its points lie in all dimensions. Pure functions.
//
// A plane: {label, axes: [words, words], at(z) → [x, y], to(z, [x, y]) → the code there, xy: places of the codes as [x, y, x, y, …],
// or null}. What a plane does not say about a code stays as it is: z keeps its distance from the plane while it is led along it.

import { aligned, dot, principal } from './pca.js';

const NEAR = 8; // codes that a place between them is blended of
const EPS = 1e-12;

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** Along two directions of length 1 at right angles, from `centre`. */
function along(centre, axes) {
  const at = (z) => axes.map((axis) => axis.reduce((sum, part, j) => sum + part * (z[j] - centre[j]), 0));
  const to = (z, [x, y]) => {
    const [px, py] = at(z);
    return Array.from(z, (value, j) => value + (x - px) * axes[0][j] + (y - py) * axes[1][j]);
  };
  return { at, to };
}

function placesOf(codes, n, d, at) {
  const xy = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) xy.set(at(codes.subarray(i * d, i * d + d)), 2 * i);
  return xy;
}

/** The two principal components of the codes, lying like those of `before`, an earlier such plane. */
export function principalPlane(codes, n, d, before) {
  const { mean, axes, share } = principal(codes, n, d);
  const base = before?.base && before.base[0].length === d ? aligned(axes, before.base) : axes;
  const plane = along(mean, base);
  const words = base === axes ? share.map((part, k) => `principal component ${k + 1} (${percent(part)} of the variance)`)
    : ['x', 'y'].map((name) => `${name} in the plane of the two principal components (${percent(share[0] + share[1])} of the variance)`);
  return { ...plane, label: 'principal components', axes: words, base, share, xy: placesOf(codes, n, d, plane.at) };
}

/** Two units as they are; all others stay. `codes` may be null: there are none. */
export function unitPlane(codes, n, d, i, j) {
  const at = (z) => [z[i], z[j]];
  const to = (z, [x, y]) => Array.from(z, (value, k) => (k === i ? x : k === j ? y : value));
  return { at, to, label: `units z${i} and z${j}`, axes: [`z${i}`, `z${j}`], xy: codes && placesOf(codes, n, d, at) };
}

/** Two directions at right angles, drawn with `draw` (numbers of the normal distribution), through `centre`. */
export function randomPlane(centre, draw) {
  const u = Float64Array.from(centre, draw);
  const v = Float64Array.from(centre, draw);
  const length = Math.sqrt(dot(u, u)) || 1;
  const first = u.map((x) => x / length);
  const share = dot(first, v);
  const rest = v.map((x, j) => x - share * first[j]);
  const width = Math.sqrt(dot(rest, rest)) || 1;
  return { ...along(Float64Array.from(centre), [first, rest.map((x) => x / width)]), label: 'random directions',
    axes: ['a random direction', 'another one'], xy: null };
}

/** The `k` smallest of `n` distances: [{i, distance}], the nearest first. */
export function nearest(n, distanceOf, k = NEAR) {
  const best = [];
  for (let i = 0; i < n; i++) {
    const distance = distanceOf(i);
    if (best.length === k && distance >= best[k - 1].distance) continue;
    let at = best.length;
    while (at > 0 && best[at - 1].distance > distance) at -= 1;
    best.splice(at, 0, { i, distance });
    if (best.length > k) best.pop();
  }
  return best;
}

/** Rows of `of`, `width` numbers each, blended by the nearness of `near`: on one of them it is that row. */
function blend(near, of, width) {
  const out = new Array(width).fill(0);
  let total = 0;
  for (const { i, distance } of near) {
    const weight = 1 / (distance + EPS);
    total += weight;
    for (let k = 0; k < width; k++) out[k] += weight * of[i * width + k];
  }
  return out.map((sum) => sum / total);
}

/** A map that has no formula (t-SNE): a place stands for a blend of the codes that lie nearest to it there, and a code for a blend of
 * the places of the nearest codes. `places`: [x, y] of each code. */
export function blendPlane(codes, n, d, places, label) {
  const at = (z) => blend(nearest(n, (i) => {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += (z[j] - codes[i * d + j]) ** 2;
    return sum;
  }), places, 2);
  const to = (z, [x, y]) => blend(nearest(n, (i) => (x - places[2 * i]) ** 2 + (y - places[2 * i + 1]) ** 2), codes, d);
  return { at, to, label, axes: ['x of the map', 'y of the map'], xy: places, blends: true };
}

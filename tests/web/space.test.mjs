// The mathematics of the explorer: planes through codes, ways between them, points to pixels, npy. Pure functions, no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, lerp, normals, normalSupport, slerp, supportOf, textOf } from '../../web/lib/codes.js';
import { readNpy, writeNpy } from '../../web/lib/npy.js';
import { aligned, dot, principal } from '../../web/lib/pca.js';
import { paint } from '../../web/lib/pixels.js';
import { blendPlane, principalPlane, randomPlane, unitPlane } from '../../web/lib/plane.js';
import { boundsOf, density, disc, hitGrid, splat } from '../../web/lib/splat.js';

const close = (a, b, eps = 1e-6) => assert.ok(a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) < eps),
  `${[...a]} is not ${[...b]}`);

/** n codes of d numbers whose units spread as `widths` say. */
function cloud(n, widths, seed = 1) {
  const draw = normals(seed);
  return Float32Array.from({ length: n * widths.length }, (_, i) => 3 + draw() * widths[i % widths.length]);
}

test('the principal plane is that of the widest units, with their shares', () => {
  const { mean, axes, share } = principal(cloud(4000, [1, 5, 0.1, 3]), 4000, 4);
  close(mean, [3, 3, 3, 3], 0.3);
  close(axes[0].map(Math.abs), [0, 1, 0, 0], 0.05);
  close(axes[1].map(Math.abs), [0, 0, 0, 1], 0.05);
  close([dot(axes[0], axes[1]), dot(axes[0], axes[0])], [0, 1]);
  close(share, [25 / 35.01, 9 / 35.01], 0.03);
  for (let unit = 0; unit < 4; unit++) {
    const widest = principal(cloud(500, [0.1, 0.1, 0.1, 0.1].map((w, j) => (j === unit ? 5 : w))), 500, 4);
    assert.ok(widest.axes[0][unit] > 0, 'the largest number of a direction is positive');
  }
  const one = principal(cloud(100, [2]), 100, 1);
  close([...one.axes[0], ...one.axes[1]], [1, 0]);
});

test('a plane that is found again lies as it lay before: turned, mirrored and swapped axes come back', () => {
  const { axes } = principal(cloud(4000, [1, 5, 0.1, 3]), 4000, 4);
  for (const mirror of [1, -1]) {
    for (const angle of [0.4, 2, -3]) {
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const turned = [axes[0].map((x, j) => c * x + s * axes[1][j]), axes[0].map((x, j) => mirror * (c * axes[1][j] - s * x))];
      const again = aligned(axes, turned);
      close(again[0], turned[0]);
      close(again[1], turned[1]);
    }
  }
});

test('planes lead a code along and leave what they do not say', () => {
  const codes = cloud(500, [1, 5, 0.1, 3]);
  const z = [1, 2, 3, 4];
  const pca = principalPlane(codes, 500, 4);
  const there = pca.to(z, [7, -2]);
  close(pca.at(there), [7, -2]);
  close(pca.to(there, pca.at(z)), z);
  close(pca.xy.slice(20, 22), pca.at(codes.subarray(40, 44)), 1e-4);
  const units = unitPlane(codes, 500, 4, 3, 0);
  assert.deepEqual(units.to(z, [9, 8]), [8, 2, 3, 9]);
  assert.deepEqual([units.at(z), units.axes], [[4, 1], ['z3', 'z0']]);
  assert.equal(unitPlane(null, 0, 4, 0, 1).xy, null);
  const random = randomPlane(z, normals(5));
  close(random.at(z), [0, 0]);
  close(random.at(random.to(z, [0.5, -1.5])), [0.5, -1.5]);
  close(randomPlane(z, normals(5)).to(z, [1, 1]), random.to(z, [1, 1]));
});

test('the principal plane of codes that have moved a little lies like the one before', () => {
  const before = principalPlane(cloud(2000, [3, 3.05, 0.1]), 2000, 3);
  const after = principalPlane(cloud(2000, [3.05, 3, 0.1], 2), 2000, 3, before);
  close([dot(after.base[0], before.base[0]), dot(after.base[1], before.base[1])], [1, 1], 0.01);
});

test('a map without a formula blends what is near', () => {
  const codes = Float32Array.from([0, 0, 0, 10, 0, 0, 0, 10, 0, 10, 10, 0]);
  const places = Float32Array.from([0, 0, 1, 0, 0, 1, 1, 1]);
  const plane = blendPlane(codes, 4, 3, places, 'job');
  close(plane.to([0, 0, 0], [1, 1]), [10, 10, 0], 1e-4); // on a point: its code
  close(plane.to([0, 0, 0], [0.5, 0.5]), [5, 5, 0], 1e-4); // amid four: their mean
  close(plane.at([10, 0, 0]), [1, 0], 1e-4);
});

test('ways between codes keep their ends, and around the sphere their length', () => {
  const [a, b] = [[1, 0, 0], [0, 1, 0]];
  for (const way of [lerp, slerp]) {
    close(way(a, b, 0), a);
    close(way(a, b, 1), b);
  }
  close(slerp(a, b, 0.5), [Math.SQRT1_2, Math.SQRT1_2, 0]);
  close(lerp(a, b, 0.5), [0.5, 0.5, 0]);
  close(slerp([1, 1], [2, 2], 0.5), [1.5, 1.5]); // the same way: straight
  close(slerp([0, 0], [2, 2], 0.5), [1, 1]);
});

test('a code is outside of the data where it is further from them than they from each other', () => {
  const codes = cloud(3000, [1, 1]);
  const support = supportOf(codes, 3000, 2);
  assert.equal(support.outside([3, 3]), false);
  assert.equal(support.outside([9, 3]), true);
  let out = 0;
  const fresh = cloud(1000, [1, 1], 77);
  for (let i = 0; i < 1000; i++) out += support.outside(fresh.subarray(2 * i, 2 * i + 2));
  assert.ok(out > 0 && out < 40, `${out} of 1000 such codes: about one in a hundred`);
  const quiet = supportOf(cloud(3000, [1, 0.01]), 3000, 2, { all: false, variance: [1, 0.0001] });
  assert.equal(quiet.outside([3, 60]), false, 'a unit that says nothing does not count');
  const normal = normalSupport(100);
  assert.ok(Math.abs(normal.limit - 11.65) < 0.02, `${normal.limit}: the square root of the 99 % quantile of chi squared`);
});

test('codes go into the address and come back; what is no code does not', () => {
  assert.deepEqual(codeOf(textOf([1.5, -2.25, 1e-7]), 3), [1.5, -2.25, 1e-7]);
  for (const text of [null, '', '1', '1,2,3', '1,x', '1,']) assert.equal(codeOf(text, 2), null, text);
});

test('npy is read as NumPy writes it, and written so that it can be read', () => {
  const bytes = writeNpy([2, 3], [1, 2, 3, 4, 5, 6]);
  assert.equal(bytes.length, 128 - 64 + 64 + 24);
  assert.deepEqual([...bytes.subarray(0, 8)], [0x93, 78, 85, 77, 80, 89, 1, 0]);
  const { shape, data } = readNpy(bytes.buffer);
  assert.deepEqual([shape, [...data]], [[2, 3], [1, 2, 3, 4, 5, 6]]);
  assert.deepEqual(readNpy(writeNpy([3], [7, 8, 9]).buffer).shape, [3]);
  const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n"; // one number, its bytes at no multiple of four
  const odd = new Uint8Array(10 + text.length + 4 + 1);
  odd.set([0x93, 78, 85, 77, 80, 89, 1, 0, text.length + 1, 0]);
  odd.set(new TextEncoder().encode(` ${text}`), 10);
  new DataView(odd.buffer).setFloat32(11 + text.length, 2.5, true);
  assert.deepEqual([...readNpy(odd.buffer).data], [2.5]);
  assert.throws(() => readNpy(new ArrayBuffer(4)), /no \.npy/);
  assert.throws(() => readNpy(bytes.buffer.slice(0, bytes.length - 4)), /too soon/);
  const doubles = Uint8Array.from(bytes, (byte, i) => (bytes[i - 1] === 102 && byte === 52 ? 56 : byte)); // <f8
  assert.throws(() => readNpy(doubles.buffer), /float32/);
});

test('pixels are those of the pictures of the daemon: rounded, cut off, three planes in turn', () => {
  const gray = paint(new Uint8ClampedArray(16), Float32Array.of(0, 0.5, 1.5, -1), 0, [1, 2, 2]);
  assert.deepEqual([...gray], [0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255, 0, 0, 0, 255]);
  const colour = paint(new Uint8ClampedArray(4), Float32Array.of(9, 9, 9, 0.2, 0.4, NaN), 1, [3, 1, 1]);
  assert.deepEqual([...colour], [51, 102, 0, 255]);
});

test('points become pixels of their class; hidden ones and those outside do not', () => {
  const image = { width: 20, height: 20, data: new Uint8ClampedArray(1600) };
  const xy = Float32Array.of(0, 0, 5, 5, -5, 0, 50, 50);
  const labels = [0, 1, 2, 0];
  const shown = splat(image, { xy, labels, view: [1, 10, 10], colours: [[255, 0, 0], [0, 255, 0], [0, 0, 255]], hidden: new Set([2]),
    disc: disc(1) });
  assert.equal(shown, 2);
  const pixel = (x, y) => [...image.data.subarray(4 * (y * 20 + x), 4 * (y * 20 + x) + 4)];
  assert.deepEqual(pixel(10, 10), [255, 0, 0, 255]);
  assert.deepEqual(pixel(15, 5), [0, 255, 0, 255]); // upwards is up
  assert.deepEqual(pixel(5, 10), [0, 0, 0, 0]);
  const [, , , edge] = pixel(11, 11);
  assert.ok(edge > 0 && edge < 255, 'its edge is soft');
});

test('the point that is meant is the nearest one within reach that is not hidden', () => {
  const draw = normals(3);
  const xy = Float32Array.from({ length: 4000 }, draw);
  const near = hitGrid(xy);
  for (let k = 0; k < 50; k++) {
    const [x, y] = [draw(), draw()];
    let [best, least] = [-1, 0.04];
    for (let i = 0; i < 2000; i++) {
      const distance = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
      if (distance < least && i % 2) [best, least] = [i, distance];
    }
    assert.equal(near(x, y, 0.2, (i) => i % 2 === 0), best);
  }
  assert.equal(near(100, 100, 1), -1);
  assert.equal(hitGrid(Float32Array.of(1, 1))(1.1, 1, 0.5), 0);
  assert.equal(hitGrid(new Float32Array(0))(0, 0, 1), -1);
});

test('density is highest where most points are, and bounds hold them all', () => {
  const xy = cloud(5000, [1, 1]);
  const bounds = boundsOf(xy);
  const { values, width, bounds: all } = density(xy, bounds, 40);
  const at = values.indexOf(1);
  const step = (all.right - all.left) / width;
  const [x, y] = [all.left + ((at % width) + 0.5) * step, all.top - (Math.floor(at / width) + 0.5) * step];
  close([x, y], [3, 3], 0.5);
  assert.ok(values.every((v) => v >= 0 && v <= 1));
  assert.deepEqual(boundsOf(new Float32Array(0)), { left: -1, right: 1, bottom: -1, top: 1 });
});

// lib/splat.js: tens of thousands of points into the pixels of a picture, how densely they lie, and which one is near a place. Pure
// functions: a canvas is asked for an ImageData once, not for a shape sixty thousand times.

const CELLS = 64; // of the grid along the longer side
const MOST = 20000; // points that a density is taken of
const SPREAD = 2; // cells that a point's weight is spread over, to each side, three times: close to a bell

/** The pixels that a disc of `radius` covers: [dx, dy, 0 … 255] each. */
export function disc(radius) {
  const reach = Math.ceil(radius);
  const pixels = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.round(255 * Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy))));
      if (cover > 0) pixels.push([dx, dy, cover]);
    }
  }
  return { reach, pixels };
}

// Pixels as they lie in memory: red first (every machine that browsers run on is little-endian).
const packed = ([r, g, b], alpha) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** The pixels of a stamp in one colour, each with its place relative to the middle in a picture so wide; their solid ones apart from
 * those at its edge, which stay beneath what is there already. */
function stampOf({ pixels }, width, rgb) {
  const of = (rows) => ({ offset: Int32Array.from(rows, ([dx, dy]) => dy * width + dx),
    ink: Uint32Array.from(rows, ([, , cover]) => packed(rgb, cover)) });
  return { solid: of(pixels.filter(([, , cover]) => cover === 255)), edge: of(pixels.filter(([, , cover]) => cover < 255)) };
}

/** Points at `xy` (x, y, x, y, …; `view`: [scale, left, top], pixel = left + scale x, top - scale y) in the colour of their label
 * ([r, g, b]), into an ImageData; those whose label is `hidden` stay out, and those whose disc would not be whole. Returns how many
 * are seen. Half-covered pixels keep the stronger cover: points lie beside each other, not through each other. */
export function splat({ data, width, height }, { xy, labels, view: [scale, left, top], colours, hidden, disc: { reach, pixels } }) {
  const out = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const stamps = colours.map((rgb) => stampOf({ pixels }, width, rgb));
  let seen = 0;
  for (let i = 0; 2 * i < xy.length; i++) {
    const label = labels ? labels[i] : 0;
    if (hidden.size && hidden.has(label)) continue;
    const x = Math.round(left + scale * xy[2 * i]);
    const y = Math.round(top - scale * xy[2 * i + 1]);
    if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
    const { solid, edge } = stamps[label % stamps.length];
    const at = y * width + x;
    for (let k = 0; k < edge.offset.length; k++) {
      const to = at + edge.offset[k];
      if (out[to] >>> 24 < edge.ink[k] >>> 24) out[to] = edge.ink[k];
    }
    for (let k = 0; k < solid.offset.length; k++) out[at + solid.offset[k]] = solid.ink[k];
    seen += 1;
  }
  return seen;
}

/** {left, right, bottom, top} of all points; a single one still has a place around it. */
export function boundsOf(xy) {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    left = Math.min(left, xy[i]);
    right = Math.max(right, xy[i]);
    bottom = Math.min(bottom, xy[i + 1]);
    top = Math.max(top, xy[i + 1]);
  }
  if (!(right >= left)) return { left: -1, right: 1, bottom: -1, top: 1 };
  const grow = right > left || top > bottom ? 0 : 1;
  return { left: left - grow, right: right + grow, bottom: bottom - grow, top: top + grow };
}

function blurred(from, width, height, step, run) {
  const out = new Float32Array(from.length);
  const lines = step === 1 ? height : width;
  const line = step === 1 ? width : 1;
  for (let l = 0; l < lines; l++) {
    let sum = 0;
    for (let i = -SPREAD; i < run; i++) {
      if (i + SPREAD < run) sum += from[l * line + (i + SPREAD) * step];
      if (i - SPREAD - 1 >= 0) sum -= from[l * line + (i - SPREAD - 1) * step];
      if (i >= 0) out[l * line + i * step] = sum;
    }
  }
  return out;
}

/** How densely points lie: {values (0 … 1), width, height} of a grid over {left, right, bottom, top}, its first row at the top. */
export function density(xy, { left, right, bottom, top }, cells = 96) {
  const step = Math.max(right - left, top - bottom) / cells || 1;
  const margin = 3 * SPREAD + 1;
  const width = Math.ceil((right - left) / step) + 2 * margin;
  const height = Math.ceil((top - bottom) / step) + 2 * margin;
  let values = new Float32Array(width * height);
  for (let i = 0; i < xy.length; i += 2 * Math.ceil(xy.length / 2 / MOST)) {
    const x = Math.min(width - 1, Math.max(0, Math.floor((xy[i] - left) / step) + margin));
    const y = Math.min(height - 1, Math.max(0, Math.floor((top - xy[i + 1]) / step) + margin));
    values[y * width + x] += 1;
  }
  for (let pass = 0; pass < 3; pass++) values = blurred(blurred(values, width, height, 1, width), width, height, width, height);
  const most = values.reduce((a, b) => Math.max(a, b), 0) || 1;
  return { values: values.map((v) => v / most), width, height,
    bounds: { left: left - margin * step, top: top + margin * step, right: left + (width - margin) * step,
      bottom: top - (height - margin) * step } };
}

/** Finds the point nearest to a place without going through all of them: near(x, y, within, skip(i)) → its number, or -1. */
export function hitGrid(xy) {
  const { left, right, bottom, top } = boundsOf(xy);
  const step = Math.max(right - left, top - bottom) / CELLS || 1;
  const [columns, rows] = [Math.floor((right - left) / step) + 1, Math.floor((top - bottom) / step) + 1];
  const cell = (value, low, count) => Math.min(count - 1, Math.max(0, Math.floor((value - low) / step)));
  const heads = new Int32Array(columns * rows).fill(-1);
  const next = new Int32Array(xy.length / 2);
  for (let i = next.length - 1; i >= 0; i--) {
    const at = cell(xy[2 * i + 1], bottom, rows) * columns + cell(xy[2 * i], left, columns);
    next[i] = heads[at];
    heads[at] = i;
  }
  return (x, y, within, skip = () => false) => {
    let found = -1;
    let least = within * within;
    for (let row = cell(y - within, bottom, rows); row <= cell(y + within, bottom, rows); row++) {
      for (let column = cell(x - within, left, columns); column <= cell(x + within, left, columns); column++) {
        for (let i = heads[row * columns + column]; i >= 0; i = next[i]) {
          const distance = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
          if (distance > least || (distance === least && found >= 0) || skip(i)) continue;
          least = distance;
          found = i;
        }
      }
    }
    return found;
  };
}

// lib/chartfile.js: a chart as it is seen, as a file: its picture (PNG), its lines (SVG), its numbers (CSV).

import { svg } from './dom.js';
import { placeText } from './scale.js';

const MARGIN = 12;
const LINE = 18; // of text
const FONT = 'system-ui, sans-serif';

const heading = (chart) => [chart.name, chart.title].filter(Boolean).join(' · ');
const shownRows = (chart) => chart.meta.map((row, i) => ({ row, i })).filter(({ row }) => !chart.hidden.has(row.name));

/** The rows that are seen: [first, last + 1). */
function seen(chart) {
  const [from, to] = chart.group.range;
  const { x } = chart.rows;
  const first = x.findIndex((place) => place >= from);
  let last = x.length;
  while (last > 0 && x[last - 1] > to) last -= 1;
  return first < 0 ? [0, 0] : [first, last];
}

const cell = (value) => (value === null || value === undefined ? '' : String(value));
const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A row for each place, three columns for each curve that is seen: where it was thinned they differ. */
export function toCsv(chart) {
  const rows = shownRows(chart).map(({ row }) => row);
  const lines = [['step', 'epoch', 'time_ms', ...rows.flatMap(({ name, label = name }) => [label, `${label} min`, `${label} max`])].map(quoted)];
  const [first, last] = seen(chart);
  for (let i = first; i < last; i++) {
    const { step, epoch, time_ms: time, columns } = chart.rows;
    const values = rows.flatMap(({ name }) => [columns[name].value[i], columns[name].min[i], columns[name].max[i]]);
    if (values.some((value) => value !== undefined)) lines.push([step[i], epoch[i], time[i], ...values].map(cell));
  }
  return new Blob([lines.map((line) => line.join(',')).join('\n'), '\n'], { type: 'text/csv' });
}

// --- lines ---------------------------------------------------------------------------------------------------------------

/** A path through the points; a gap where there is no number. */
function pathOf(u, k) {
  const parts = [];
  let pen = 'M';
  u.data[k].forEach((value, i) => {
    if (value === undefined) return;
    if (value === null) {
      pen = 'M';
      return;
    }
    parts.push(`${pen}${u.valToPos(u.data[0][i], 'x').toFixed(1)},${u.valToPos(value, 'y').toFixed(1)}`);
    pen = 'L';
  });
  return parts.join('');
}

function bandOf(u, low, high) {
  const at = (k) => u.data[k].flatMap((value, i) => (value === null || value === undefined ? []
    : [`${u.valToPos(u.data[0][i], 'x').toFixed(1)},${u.valToPos(value, 'y').toFixed(1)}`]));
  return [...at(high), ...at(low).reverse()].join(' ');
}

const text = (x, y, content, more = {}) => svg('text', { x, y, 'font-size': 12, 'font-family': FONT, ...more, text: content });

function axes(chart, u, width, height) {
  const nodes = [];
  const line = (x1, y1, x2, y2) => svg('line', { x1, y1, x2, y2, stroke: chart.ink, 'stroke-opacity': 0.25 });
  for (const tick of u.axes[0]._splits ?? []) {
    const x = u.valToPos(tick, 'x');
    if (x < 0 || x > width) continue;
    nodes.push(line(x, 0, x, height), text(x, height + 16, placeText(chart.group.axis, tick), { 'text-anchor': 'middle', fill: chart.ink }));
  }
  for (const tick of u.axes[1]._splits ?? []) {
    const y = u.valToPos(tick, 'y');
    if (!(y >= 0 && y <= height)) continue;
    nodes.push(line(0, y, width, y), text(-6, y + 4, String(Number(tick.toPrecision(4))), { 'text-anchor': 'end', fill: chart.ink }));
  }
  return [...nodes, text(width / 2, height + 32, chart.group.axis, { 'text-anchor': 'middle', fill: chart.ink })];
}

function lines(chart, u) {
  return chart.plan().flatMap(([row, i, part], k) => {
    const hue = chart.hue(row, i);
    if (part === 'min') return [];
    if (part === 'max') return [svg('polygon', { points: bandOf(u, k, k + 1), fill: hue, 'fill-opacity': 0.18 })];
    const behind = part === 'value' && chart.group.weight > 0;
    return [svg('path', { d: pathOf(u, k + 1), fill: 'none', stroke: hue, 'stroke-width': part === 'smooth' ? 2 : 1.5,
      'stroke-opacity': behind ? 0.28 : 1, 'stroke-dasharray': row.dash?.join(' ') })];
  });
}

function references(chart, u, width) {
  return chart.references().flatMap(({ value, label }) => {
    const y = u.valToPos(value, 'y');
    if (!(value >= u.scales.y.min && value <= u.scales.y.max)) return [];
    return [svg('line', { x1: 0, x2: width, y1: y, y2: y, stroke: chart.ink, 'stroke-dasharray': '4 4' }),
      text(width - 4, y - 5, label, { 'text-anchor': 'end', fill: chart.ink, 'font-size': 11 })];
  });
}

/** The legend's rows, as wide as there is room. */
function legend(chart, width, measure, place) {
  let [x, y] = [0, 0];
  for (const { row, i } of shownRows(chart)) {
    const label = row.label ?? row.name;
    const wide = measure(label) + 34;
    if (x > 0 && x + wide > width) [x, y] = [0, y + LINE];
    place(label, chart.hue(row, i), x, y);
    x += wide;
  }
  return y + LINE;
}

export function toSvg(chart) {
  const u = chart.plot;
  const [left, width, height] = [u.over.offsetLeft, u.over.clientWidth, u.over.clientHeight];
  const names = [];
  const below = legend(chart, width, (label) => label.length * 7, (label, hue, x, y) => names.push(
    svg('rect', { x, y: y - 5, width: 14, height: 4, rx: 2, fill: hue }), text(x + 19, y, label, { fill: chart.ink })));
  const top = MARGIN + LINE + 6;
  const [wide, high] = [chart.plot.width + MARGIN, top + height + 48 + below];
  const node = svg('svg', { width: wide, height: high, viewBox: `0 0 ${wide} ${high}` },
    svg('rect', { width: wide, height: high, fill: chart.paper }),
    text(left, MARGIN + 12, heading(chart), { fill: chart.ink, 'font-weight': 600 }),
    svg('clipPath', { id: 'seen' }, svg('rect', { width, height })),
    svg('g', { transform: `translate(${left},${top})` }, axes(chart, u, width, height),
      svg('g', { 'clip-path': 'url(#seen)' }, lines(chart, u)), references(chart, u, width),
      svg('g', { transform: `translate(0,${height + 56})` }, names)));
  return new Blob([new XMLSerializer().serializeToString(node)], { type: 'image/svg+xml' });
}

// --- picture -------------------------------------------------------------------------------------------------------------

export function toPng(chart) {
  const from = chart.plot.ctx.canvas;
  const scale = devicePixelRatio;
  const canvas = document.createElement('canvas');
  const ctx = canvas.getContext('2d');
  const width = from.width / scale;
  const measured = (label) => {
    ctx.font = `12px ${FONT}`;
    return ctx.measureText(label).width;
  };
  const below = legend(chart, width - 2 * MARGIN, measured, () => {});
  const top = MARGIN + LINE;
  canvas.width = from.width;
  canvas.height = from.height + (top + below + MARGIN) * scale;
  ctx.fillStyle = chart.paper;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(from, 0, top * scale);
  ctx.scale(scale, scale);
  ctx.fillStyle = chart.ink;
  ctx.font = `600 12px ${FONT}`;
  ctx.fillText(heading(chart), MARGIN, MARGIN + 8);
  ctx.font = `12px ${FONT}`;
  const y0 = top + from.height / scale + 12;
  legend(chart, width - 2 * MARGIN, measured, (label, hue, x, y) => {
    ctx.fillStyle = hue;
    ctx.fillRect(MARGIN + x, y0 + y - 5, 14, 4);
    ctx.fillStyle = chart.ink;
    ctx.fillText(label, MARGIN + x + 19, y0 + y);
  });
  return new Promise((resolve) => { canvas.toBlob(resolve, 'image/png'); });
}

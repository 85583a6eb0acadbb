// lib/chart.js: curves of one job, drawn by uPlot on a canvas, with reference lines, a read-out and words for screen readers.

import { align, emptySeries, smooth } from './curve.js';
import { colour, h, setText, show } from './dom.js';
import { loss } from './format.js';
import { logRange, logTicks } from './scale.js';
import uPlot from './uplot.js';

// Okabe-Ito and more, in the order series are drawn, then again; style/base.css has them for both themes.
const COLOURS = ['series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6', 'series-7', 'series-8', 'series-9', 'series-10'];
const HEIGHT = 300;

const hue = (i) => i % COLOURS.length;

function axis(stroke, grid, more) {
  return { stroke, font: '12px system-ui, sans-serif', grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, ...more };
}

/** series: [{name, help, unit, reference_lines}] of the kind, the ones to draw; label: what the legend says in place of the name. */
export class Chart {
  constructor(series, { log = true, title = 'Loss', height = HEIGHT } = {}) {
    this.meta = series;
    this.points = {};
    this.log = log;
    this.title = title;
    this.height = height;
    this.weight = 0;
    this.zoomed = false;
    this.plot = null;
    this.canvas = h('div', { class: height < HEIGHT ? 'chart small' : 'chart', role: 'img', 'aria-label': `${title} curves: no points yet` });
    this.readout = h('dl', { class: 'readout' });
    this.hint = h('span', { class: 'quiet zoom-hint' }, 'drag to zoom');
    this.reset = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.unzoom() }, 'Whole run');
    this.node = h('div', { class: 'chart-box' }, this.canvas, this.readout);
    this.values = series.map((row, i) => this.legendRow(row, i));
    this.readout.append(this.xRow());
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.canvas);
  }

  legendRow(row, i) {
    const value = h('dd', {}, '–');
    this.readout.append(h('div', { title: row.help }, h('dt', {}, h('span', { class: `swatch c${hue(i) + 1}` }), row.label ?? row.name), value));
    return value;
  }

  xRow() {
    this.at = h('dd', {}, '–');
    return h('div', {}, h('dt', {}, 'epoch'), this.at);
  }

  /** points: {name: series as curve.js has them}. Drawn at the next frame, however often it is called. */
  setPoints(points) {
    this.points = points;
    this.schedule();
  }

  setLog(log) {
    this.log = log;
    this.rebuild();
  }

  setSmoothing(weight) {
    this.weight = weight;
    this.schedule();
  }

  /** After a change of theme. */
  rebuild() {
    this.plot?.destroy();
    this.plot = null;
    this.schedule();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  // Columns for uPlot: x, then per series: mean, smoothed, min, max. A logarithm has no place for values that are not positive.
  table() {
    const rows = align(Object.fromEntries(this.meta.map(({ name }) => [name, this.points[name] ?? emptySeries()])));
    const drawable = (values) => this.log ? values.map((v) => (v > 0 ? v : null)) : values;
    const columns = [rows.epoch];
    for (const { name, per_step } of this.meta) {
      const column = rows.columns[name] ?? { value: [], min: [], max: [] };
      const none = new Array(rows.epoch.length).fill(null);
      const smoothed = this.weight && per_step ? smooth(column.value, this.weight) : none;
      columns.push(...[column.value, smoothed, column.min, column.max].map((c) => drawable(c.length ? c : none)));
    }
    this.rows = rows;
    return columns;
  }

  draw() {
    const width = Math.floor(this.canvas.clientWidth);
    if (!width) return;
    const data = this.table();
    if (!this.plot) this.build(width, data);
    else if (this.zoomed) {
      this.plot.setData(data, false);
      this.plot.redraw();
    } else this.plot.setData(data);
    this.describe();
  }

  build(width, data) {
    this.plot = new uPlot(this.options(width), data, this.canvas);
    this.plot.over.addEventListener('dblclick', () => this.unzoom());
  }

  options(width) {
    this.ink = colour('quiet');
    this.paper = colour('card');
    const text = this.ink;
    const grid = colour('line');
    return {
      width, height: this.height, legend: { show: false }, padding: [12, 12, 0, 0],
      scales: {
        x: { time: false, range: (u, min, max) => (this.zoomed ? [min, max] : [0, max > 0 ? max : 1]) },
        y: { distr: this.log ? 3 : 1, range: (u, min, max) => this.yRange(min, max) },
      },
      axes: [axis(text, grid, { size: 34, label: 'epoch', labelSize: 18, labelGap: 0, labelFont: '12px system-ui, sans-serif' }),
        axis(text, grid, { size: 64, values: (u, ticks) => ticks.map((v) => String(Number(v.toPrecision(4)))),
          ...(this.log && { splits: (u, i, min, max) => logTicks(min, max), filter: (u, ticks) => ticks }) })],
      series: [{}, ...this.meta.flatMap((row, i) => this.lines(row, i))],
      bands: this.meta.map((row, i) => ({ series: [4 * i + 4, 4 * i + 3], fill: this.faint(i) })),
      cursor: { points: { size: 7 }, drag: { x: true, y: false }, y: false },
      hooks: {
        setCursor: [(u) => this.readAt(u.cursor.idx)],
        setSelect: [(u) => u.select.width > 0 && this.setZoomed(true)],
        draw: [(u) => this.drawReferences(u)],
      },
    };
  }

  /** The whole run is seen beside its references; a part of it as closely as can be. */
  yRange(min, max) {
    const values = this.zoomed ? [] : this.references().map((line) => line.value).filter((value) => value > 0 || !this.log);
    const known = [min, max, ...values].filter((value) => value !== null);
    if (!known.length) return this.log ? logRange(null, null) : [0, 1];
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return this.log ? logRange(low, high) : uPlot.rangeNum(low, high, 0.1, true);
  }

  faint(i) {
    return colour(COLOURS[hue(i)]).replace(/^rgb\((.*)\)$/, 'rgba($1, 0.18)');
  }

  lines(row, i) {
    const stroke = colour(COLOURS[hue(i)]);
    const faint = this.faint(i);
    const common = { spanGaps: true, points: { show: false } };
    // Of a single point there is no line to see.
    const sparse = { show: () => this.points[row.name]?.step.length <= (row.per_step ? 1 : 24), size: 5, fill: stroke };
    return [
      { ...common, label: row.name, stroke: () => (this.weight && row.per_step ? faint : stroke), width: 1.5, points: sparse },
      { ...common, label: `${row.name} smoothed`, stroke, width: 2 },
      { ...common, label: `${row.name} least`, width: 0 },
      { ...common, label: `${row.name} greatest`, width: 0 },
    ];
  }

  drawReferences(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.fillStyle = this.ink;
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'right';
    for (const { value, label } of this.references()) {
      if (value < u.scales.y.min || value > u.scales.y.max) continue;
      this.drawReference(ctx, bbox, Math.round(u.valToPos(value, 'y', true)) + 0.5, label);
    }
    ctx.restore();
  }

  drawReference(ctx, { left, width }, y, label) {
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.strokeStyle = this.ink;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    // On a piece of the card, so that no curve runs through the words. Words that are too wide are pressed together.
    const room = width - 12;
    const wide = Math.min(room, ctx.measureText(label).width) + 6;
    const high = 14 * devicePixelRatio;
    ctx.fillStyle = this.paper;
    ctx.globalAlpha = 0.8;
    ctx.fillRect(left + width - 3 - wide, y - 3 - high, wide, high);
    ctx.globalAlpha = 1;
    ctx.fillStyle = this.ink;
    ctx.fillText(label, left + width - 6, y - 6, room);
  }

  /** Each line once: series of one family share their references. */
  references() {
    const all = this.meta.flatMap((row) => row.reference_lines ?? []);
    return all.filter((line, i) => all.findIndex((other) => other.label === line.label && other.value === line.value) === i);
  }

  readAt(index) {
    const last = (this.rows?.step.length ?? 0) - 1;
    const i = index ?? last;
    if (i < 0) return;
    setText(this.at, `${this.rows.epoch[i].toFixed(2)} (step ${this.rows.step[i]})`);
    this.meta.forEach(({ name }, k) => setText(this.values[k], loss(nearest(this.rows.columns[name]?.value ?? [], i))));
  }

  describe() {
    if (this.plot.cursor.idx === null || this.plot.cursor.idx === undefined) this.readAt(null);
    let total = 0;
    const parts = this.meta.map(({ name, label = name }) => {
      const series = this.points[name];
      total += series?.step.length ?? 0;
      if (!series?.step.length) return `${label} has no points yet`;
      const known = series.value.filter((v) => v !== null);
      const least = known.reduce((a, b) => Math.min(a, b), Infinity);
      return `${label} ${loss(known.at(-1))} at epoch ${series.epoch.at(-1).toFixed(1)}, lowest ${loss(least)}`;
    });
    this.canvas.setAttribute('aria-label', `${this.title} curves: ${parts.join('; ')}`);
    this.canvas.dataset.points = String(total);
  }

  setZoomed(zoomed) {
    this.zoomed = zoomed;
    show(this.reset, zoomed);
    show(this.hint, !zoomed);
  }

  unzoom() {
    this.setZoomed(false);
    this.schedule();
  }

  resize() {
    const width = Math.floor(this.canvas.clientWidth);
    if (!this.plot) this.schedule();
    else if (width && width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.plot?.destroy();
  }
}

/** The value at row i or the newest before it: a series of one point per epoch has gaps between. */
function nearest(values, i) {
  while (i >= 0 && (values[i] === null || values[i] === undefined)) i -= 1;
  return i < 0 ? null : values[i];
}

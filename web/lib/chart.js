// lib/chart.js: curves that share axes, drawn by uPlot on a canvas: reference lines, marks, a read-out that is the legend, and words
// for screen readers. What charts have in common (x axis, smoothing, zoom, cursor) is their group's.

import { align, between, emptySeries, smooth } from './curve.js';
import { colour, h, setText } from './dom.js';
import { loss } from './format.js';
import { ChartGroup } from './group.js';
import { Marks } from './marks.js';
import { logRange, logTicks, mostOf, placeText, TIME_STEPS } from './scale.js';
import { onTouch } from './touch.js';
import uPlot from './uplot.js';

// Okabe-Ito and more, in the order series are drawn, then again; style/base.css has them for both themes.
const COLOURS = 10;
const HEIGHT = 300;
const FONT = '12px system-ui, sans-serif';
const SPARSE = 24; // points of a series that is told once an epoch: dots, while there are so few

const hueOf = (row, i) => (row.colour ?? i) % COLOURS;
const faded = (rgb, share) => rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${share})`);

/** rows: {name, help, unit, reference_lines} of the kind, the ones to draw. `label`: what the legend says in place of the name;
 * `colour`: 0..9, in place of its place; `dash`; `start`: when its run began, in ms, where a chart has several
 * runs. `name`: of the run, for the files that are saved. */
export class Chart {
  constructor(rows, { log = true, title = 'Loss', name = '', height = HEIGHT, group = new ChartGroup(), marks = false } = {}) {
    Object.assign(this, { meta: rows, log, title, name, height, group, points: {}, plot: null, last: 0, hidden: new Set() });
    this.canvas = h('div', { class: height < HEIGHT ? 'chart small' : 'chart', role: 'img', tabindex: '0',
      'aria-label': `${title} curves: no points yet`, onkeydown: (event) => this.onKey(event) });
    this.said = h('span', { class: 'offscreen', role: 'status' });
    this.marks = new Marks(marks);
    this.readout = h('dl', { class: 'readout' });
    this.node = h('div', { class: 'chart-box' }, h('div', { class: 'chart-frame' }, this.canvas, this.marks.node), this.readout, this.said);
    this.values = rows.map((row, i) => this.legendRow(row, i));
    this.readout.append(this.xRow());
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.canvas);
    this.near = false;
    this.sight = new IntersectionObserver((entries) => this.onSight(entries.at(-1).isIntersecting), { rootMargin: '200px' });
    this.sight.observe(this.canvas);
    this.recolour = () => this.rebuild();
    document.addEventListener('themechange', this.recolour);
    group.add(this);
  }

  legendRow(row, i) {
    const value = h('dd', {}, '–');
    const button = h('button', { type: 'button', class: 'legend', 'aria-pressed': 'true', title: row.help, onclick: () => this.toggle(row, button) },
      h('span', { class: `swatch c${hueOf(row, i) + 1}${row.dash ? ' dashed' : ''}` }), row.label ?? row.name);
    this.readout.append(h('div', {}, h('dt', {}, button), value));
    return value;
  }

  xRow() {
    this.at = h('dd', {}, '–');
    this.axisName = h('dt', {}, this.group.axis);
    return h('div', { class: 'place' }, this.axisName, this.at);
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

  toggle({ name }, button) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    button.setAttribute('aria-pressed', String(!this.hidden.has(name)));
    this.rebuild();
  }

  /** After a change of how it looks. */
  rebuild() {
    this.plot?.destroy();
    this.plot = null;
    this.schedule();
  }

  /** The curves of `name` before all others; undefined: none is. */
  emphasise(name) {
    if (!this.plot) return;
    this.plan().forEach(([row, , part], k) => {
      const line = this.plot.series[k + 1];
      if (!line || part === 'min' || part === 'max') return;
      line.alpha = name === undefined || row.name === name ? 1 : 0.2;
      line.width = (part === 'smooth' ? 2 : 1.5) + (row.name === name ? 1.5 : 0);
    });
    this.plot.redraw(false);
  }

  /** What is far from what is seen waits with its drawing. */
  onSight(near) {
    this.near = near;
    if (near && this.waits) this.schedule();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  // --- what is drawn ---------------------------------------------------------------------------------------------------

  startOf(name) {
    return this.meta.find((row) => row.name === name)?.start ?? this.group.start;
  }

  /** Each line as [row, its number, which column]: a thinned curve has a band, a smoothed one its raw values behind. */
  plan() {
    const parts = ({ name }) => {
      const { min = [], value = [] } = this.points[name] ?? {};
      const thinned = this.group.band && value.some((v, i) => v !== min[i]);
      return [...(this.group.weight ? ['value', 'smooth'] : ['value']), ...(thinned ? ['min', 'max'] : [])];
    };
    return this.meta.flatMap((row, i) => (this.hidden.has(row.name) ? [] : parts(row).map((part) => [row, i, part])));
  }

  /** Columns for uPlot. A logarithm has no place for values that are not positive. */
  table(plan) {
    const { axis, weight } = this.group;
    this.rows = align(Object.fromEntries(this.meta.map(({ name }) => [name, this.points[name] ?? emptySeries()])), axis, (name) => this.startOf(name));
    this.last = this.rows.x.at(-1) ?? 0;
    const drawable = (values) => (this.log ? values.map((v) => (v <= 0 ? null : v)) : values);
    return [this.rows.x, ...plan.map(([{ name }, , part]) => {
      const column = this.rows.columns[name];
      return drawable(part === 'smooth' ? smooth(column.value, weight) : column[part]);
    })];
  }

  draw() {
    const width = Math.floor(this.canvas.clientWidth);
    this.waits = !this.near;
    if (!width || !this.near) return;
    const plan = this.plan();
    const form = plan.map(([, i, part]) => `${i}${part}`).join();
    if (this.plot && form !== this.form) {
      this.plot.destroy();
      this.plot = null;
    }
    const data = this.table(plan);
    this.form = form;
    if (this.plot) this.plot.setData(data);
    else this.build(width, plan, data);
    this.describe();
  }

  build(width, plan, data) {
    this.ink = colour('quiet');
    this.paper = colour('card');
    this.marks.recolour();
    this.hues = Array.from({ length: COLOURS }, (_, i) => colour(`series-${i + 1}`));
    this.plot = new uPlot(this.options(width, plan), data, this.canvas);
    this.plot.over.addEventListener('dblclick', () => this.group.setZoom(null));
    onTouch(this.plot.over, { move: (share) => this.point(share), zoom: (factor, share) => this.group.zoomBy(factor, share) });
    if (this.group.cursor !== null) this.follow(this.group.cursor);
  }

  options(width, plan) {
    const grid = colour('line');
    const { axis } = this.group;
    const rule = (more) => ({ stroke: this.ink, font: FONT, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, ...more });
    return {
      width, height: this.height, legend: { show: false }, padding: [12, 12, 0, 0],
      scales: {
        x: { time: false, range: () => this.group.range },
        y: { distr: this.log ? 3 : 1, range: (u, min, max) => this.yRange(...(this.group.most ? this.most(u) : [min, max])) },
      },
      axes: [rule({ size: 34, label: axis === 'time' ? 'time since the start' : axis, labelSize: 18, labelGap: 0, labelFont: FONT,
        values: (u, ticks) => ticks.map((v) => placeText(axis, v)), ...(axis === 'time' && { incrs: TIME_STEPS, space: 64 }) }),
        rule({ size: 58, values: (u, ticks) => ticks.map((v) => String(Number(v.toPrecision(4)))),
          ...(this.log && { splits: (u, i, min, max) => logTicks(min, max), filter: (u, ticks) => ticks }) })],
      series: [{}, ...plan.map(([row, i, part]) => this.line(row, i, part))],
      bands: plan.flatMap(([row, i, part], k) => (part === 'max' ? [{ series: [k + 1, k], fill: faded(this.hue(row, i), 0.18) }] : [])),
      cursor: { points: { size: 7 }, drag: { x: true, y: false, setScale: false }, y: false },
      hooks: {
        setCursor: [(u) => this.onCursor(u)],
        setSelect: [(u) => this.onSelect(u)],
        draw: [(u) => this.drawOver(u)],
      },
    };
  }

  hue(row, i) {
    return this.hues[hueOf(row, i)];
  }

  line(row, i, part) {
    const stroke = this.hue(row, i);
    if (part === 'min' || part === 'max') return { width: 0, points: { show: false } };
    const dots = () => {
      const n = this.points[row.name]?.step.length ?? 0;
      return n > 0 && n <= (row.per_step === false ? SPARSE : 1); // of a single point there is no line to see
    };
    const raw = part === 'value' && this.group.weight > 0;
    return { label: row.name, stroke: raw ? faded(stroke, 0.28) : stroke, width: raw ? 1 : part === 'smooth' ? 2 : 1.5, dash: row.dash,
      points: { show: dots, size: 5, fill: stroke } };
  }

  /** The whole run is seen beside its references; a part of it as closely as can be. */
  yRange(min, max) {
    const values = this.group.zoom ? [] : this.references().map((line) => line.value).filter((value) => value > 0 || !this.log);
    const known = [min, max, ...values].filter((value) => value !== null && value !== undefined);
    if (!known.length) return this.log ? logRange(null, null) : [0, 1];
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return this.log ? logRange(low, high) : uPlot.rangeNum(low, high, 0.1, true);
  }

  /** The ends of most values that are seen, of each line by itself: a curve of few points is not an outlier of one of many. */
  most(u) {
    const [from, to] = this.group.range;
    const seen = ([, , part], k) => (part === 'min' || part === 'max' ? null : mostOf(u.data[k + 1].filter((v, i) => u.data[0][i] >= from && u.data[0][i] <= to)));
    const ends = this.plan().map(seen).flatMap((pair) => pair ?? []);
    return ends.length ? [Math.min(...ends), Math.max(...ends)] : [null, null];
  }

  /** Each line once: series of one family share their references. */
  references() {
    const all = this.meta.filter(({ name }) => !this.hidden.has(name)).flatMap((row) => row.reference_lines ?? []);
    return all.filter((line, i) => all.findIndex((other) => other.label === line.label && other.value === line.value) === i);
  }

  drawOver(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'right';
    ctx.lineWidth = 1;
    for (const { value, label } of this.references()) {
      if (value < u.scales.y.min || value > u.scales.y.max) continue;
      this.drawReference(ctx, bbox, Math.round(u.valToPos(value, 'y', true)) + 0.5, label);
    }
    this.marks.draw(u, this.group.marks, (mark) => this.placeOf(mark));
    ctx.restore();
  }

  drawReference(ctx, { left, width }, y, label) {
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.strokeStyle = this.ink;
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

  /** Where on the x axis a mark is, which knows its step, or when it was. */
  placeOf({ step, at_ms: at }) {
    return step === undefined ? between(this.rows.time_ms, this.rows.x, at) : between(this.rows.step, this.rows.x, step);
  }

  /** The same part of the run on another axis. */
  convert(zoom, axis, other) {
    const series = Object.values(this.points).reduce((a, b) => ((b?.step.length ?? 0) > a.step.length ? b : a), emptySeries());
    const { x, ...rows } = align({ series }, axis, () => this.group.start);
    const places = other === 'time' ? rows.time_ms.map((ms) => (ms - this.group.start) / 1000) : rows[other];
    return x.length ? zoom.map((place) => between(x, places, place)) : null;
  }

  // --- cursor and zoom -------------------------------------------------------------------------------------------------

  onCursor(u) {
    if (this.led) return;
    this.readAt(u.cursor.idx);
    this.group.setCursor(u.cursor.left < 0 ? null : u.posToVal(u.cursor.left, 'x'), this);
  }

  /** The cursor is on another chart, at x. */
  follow(x) {
    if (!this.plot) return;
    this.led = true;
    this.plot.setCursor(x === null ? { left: -10, top: -10 } : { left: this.plot.valToPos(x, 'x'), top: this.height / 2 });
    this.led = false;
    this.readAt(x === null ? null : this.plot.cursor.idx);
  }

  onSelect(u) {
    const { left, width } = u.select;
    if (!width) return;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.group.setZoom([u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]);
  }

  point(share) {
    this.plot?.setCursor({ left: share * this.plot.over.clientWidth, top: this.height / 2 });
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.plot) return;
    const { group } = this;
    const by = event.shiftKey ? 10 : 1;
    const keys = { ArrowLeft: () => this.step(-by), ArrowRight: () => this.step(by), Home: () => this.step(-Infinity), End: () => this.step(Infinity),
      '+': () => group.zoomBy(0.5, this.share()), '=': () => group.zoomBy(0.5, this.share()), '-': () => group.zoomBy(2, this.share()),
      0: () => group.setZoom(null), PageUp: () => group.pan(-0.5), PageDown: () => group.pan(0.5), Escape: () => group.setCursor(null) };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** Where the cursor is on what is seen, 0..1. */
  share() {
    const [from, to] = this.group.range;
    return this.group.cursor === null ? 0.5 : Math.min(1, Math.max(0, (this.group.cursor - from) / (to - from)));
  }

  /** The cursor by so many points. */
  step(by) {
    const { x } = this.rows;
    const [from, to] = this.group.range;
    const first = x.findIndex((place) => place >= from);
    let last = x.length - 1;
    while (last > first && x[last] > to) last -= 1;
    if (first < 0) return;
    const i = Math.min(last, Math.max(first, (this.group.cursor === null ? last : this.plot.cursor.idx ?? last) + by));
    this.plot.setCursor({ left: this.plot.valToPos(x[i], 'x'), top: this.height / 2 });
    const rows = [...this.readout.children];
    setText(this.said, [rows.pop(), ...rows].map((row) => `${row.firstChild.textContent} ${row.lastChild.textContent}`).join(', '));
  }

  // --- words -----------------------------------------------------------------------------------------------------------

  readAt(index) {
    const i = index ?? (this.rows?.x.length ?? 0) - 1;
    if (i < 0 || !this.rows) return;
    const { axis } = this.group;
    setText(this.axisName, axis);
    const beside = axis === 'epoch' ? `step ${this.rows.step[i]}` : `epoch ${this.rows.epoch[i].toFixed(2)}`;
    setText(this.at, `${axis === 'epoch' ? this.rows.epoch[i].toFixed(2) : placeText(axis, this.rows.x[i], true)} (${beside})`);
    this.meta.forEach(({ name }, k) => setText(this.values[k], loss(nearest(this.rows.columns[name].value, i))));
  }

  describe() {
    if (this.group.cursor === null) this.readAt(null);
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
    this.canvas.dataset.step = String(this.rows.step.at(-1) ?? '');
  }

  resize() {
    const width = Math.floor(this.canvas.clientWidth);
    if (this.plot && width && width !== this.plot.width) this.plot.setSize({ width, height: this.height });
    this.schedule(); // what came while it was folded away
  }

  close() {
    document.removeEventListener('themechange', this.recolour);
    this.observer.disconnect();
    this.sight.disconnect();
    cancelAnimationFrame(this.frame);
    this.plot?.destroy();
    this.group.remove(this);
  }
}

/** The value at row i or the newest before it: a series of one point per epoch has none between. */
function nearest(values, i) {
  while (i >= 0 && (values[i] === null || values[i] === undefined)) i -= 1;
  return i < 0 ? null : values[i];
}

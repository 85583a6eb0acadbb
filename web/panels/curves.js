// panels/curves.js: all curves of a run: what stands for it first, then those beside it, then small ones; read from the daemon, grown
// by the stream, and read again more closely where one zooms in.

import { get } from '../lib/api.js';
import { chartsOf, classRows, housekeepingOf, sharesOf } from '../lib/axes.js';
import { addPoint, between, emptySeries, placesOf, refreshed, spliced } from '../lib/curve.js';
import { h, newId, show, throttled } from '../lib/dom.js';
import { ChartGroup } from '../lib/group.js';
import { CurvePanel, help, SmallCurve } from './curve.js';
import { CurveToolbar } from './toolbar.js';

const POINTS = 1500; // of each curve at a time: more than a screen has columns
const DETAIL_MS = 2000; // between two readings of the whole curve while it grows
const LIVE_MS = 250; // between two pictures of it meanwhile

/** The steps between which lies what is zoomed into, with a little beside it. */
export function windowOf(series, axis, start, [from, to]) {
  const longest = Object.values(series).reduce((a, b) => (b.step.length > a.step.length ? b : a), emptySeries());
  const places = placesOf(longest, axis, start);
  const [first, last] = [from, to].map((place) => between(places, longest.step, place));
  const margin = Math.ceil((last - first) * 0.02) + 1;
  return [Math.max(0, Math.floor(first) - margin), Math.ceil(last) + margin];
}

export class CurvesPanel {
  constructor(kind, job, path, signal) {
    Object.assign(this, { path, signal, series: {}, fine: null, seen: null });
    this.group = new ChartGroup({ onWindow: (zoom) => this.onWindow(zoom) });
    this.read = throttled(() => this.readAll().catch(() => {}), DETAIL_MS);
    this.drawSoon = throttled(() => this.draw(), LIVE_MS);
    this.readFine = throttled(() => this.readWindow().catch(() => {}), 150);
    const charts = chartsOf(kind);
    const about = { path, group: this.group, name: job.name || job.id };
    this.large = charts.filter(({ small }) => !small).map((chart, i) => new CurvePanel(chart, { ...about, marks: i === 0 }));
    this.small = [...charts.filter(({ small }) => small), ...housekeepingOf(kind)].map((chart) => new SmallCurve(chart, about));
    this.shares = sharesOf(kind);
    this.names = [...charts.flatMap(({ rows }) => rows), ...housekeepingOf(kind).flatMap(({ rows }) => rows),
      ...(this.shares ? [this.shares] : [])].map(({ name }) => name);
    this.node = this.names.length > 0 && h('div', { class: 'all-curves' }, new CurveToolbar(this.group).node,
      this.large.map((panel) => panel.node), this.more(charts));
    if (this.shares) this.addShares(job.dataset, about).catch(() => {});
  }

  more(charts) {
    const id = newId('curves');
    this.grid = h('div', { class: 'small-charts' }, this.small.map(({ node }) => node));
    const rows = charts.filter(({ small }) => small).flatMap((chart) => chart.rows);
    this.beside = h('section', { class: 'card small-curves', 'aria-labelledby': id, hidden: true }, h('h2', { id }, 'More curves'), this.grid,
      help([...rows, ...(this.shares ? [this.shares] : [])]));
    return this.beside;
  }

  /** Once the names of the classes are known. */
  async addShares(dataset, about) {
    const { classes } = await get(`v1/datasets/${encodeURIComponent(dataset)}`, this.signal);
    const panel = new SmallCurve({ title: this.shares.unit, rows: classRows(this.shares, classes), log: false }, about);
    this.small.push(panel);
    this.grid.append(panel.node);
    this.draw();
  }

  get panels() {
    return [...this.large, ...this.small];
  }

  /** A fork begins with the curve of the other run, from before its own start. */
  setStart(ms) {
    const first = Math.min(...Object.values(this.series).map(({ time_ms: times }) => times[0] ?? Infinity));
    this.group.start = Math.min(ms ?? Infinity, first);
    if (!Number.isFinite(this.group.start)) this.group.start = null;
    this.started = ms;
  }

  setMarks(marks) {
    this.group.setMarks(marks);
  }

  /** Points of the stream, which thins what it tells: the whole is read again. */
  add({ points, at_ms: at }) {
    for (const point of points ?? []) addPoint(this.series[point.name] ??= emptySeries(), { ...point, at_ms: at });
    this.drawSoon();
    this.read();
  }

  /** The run begins anew. */
  clear() {
    this.series = {};
    this.fine = null;
  }

  async readAll() {
    if (!this.names.length) return;
    const { series, downsampled } = await get(`${this.path}/metrics?names=${this.names.join(',')}&by=step&points=${POINTS}`, this.signal);
    for (const name of new Set([...this.names, ...Object.keys(series)])) this.series[name] = refreshed(series[name], this.series[name]);
    this.thinned = downsampled;
    this.setStart(this.started);
    if (this.group.zoom) this.readFine();
    this.draw();
  }

  onWindow(zoom) {
    this.seen = zoom && windowOf(this.series, this.group.axis, this.group.start, zoom);
    if (zoom) this.readFine();
    else this.fine = null;
    this.draw();
  }

  /** What is zoomed into, as finely as the daemon has it. */
  async readWindow() {
    if (!this.seen || !this.thinned) return;
    const [from, to] = this.seen;
    const { series } = await get(`${this.path}/metrics?names=${this.names.join(',')}&by=step&points=${POINTS}&from_step=${from}&to_step=${to}`, this.signal);
    if (!this.seen) return;
    this.fine = series;
    this.draw();
  }

  draw() {
    const shown = this.fine ? Object.fromEntries(Object.entries(this.series).map(([name, series]) => [name, spliced(series, this.fine[name])])) : this.series;
    for (const panel of this.panels) panel.setPoints(shown);
    show(this.beside, this.small.some(({ node }) => !node.hidden));
  }

  close() {
    this.read.cancel();
    this.readFine.cancel();
    this.drawSoon.cancel();
    this.panels.forEach((panel) => panel.close());
  }
}

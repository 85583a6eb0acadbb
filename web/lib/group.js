// lib/group.js: what charts that are seen together share: the x axis, smoothing, the band, the part that is zoomed into, the cursor,
// and the marks. What one has chosen of how curves look is remembered.

export const AXES = ['step', 'epoch', 'time'];
const KEY = 'curves';
const CLOSEST = 1e-5; // of the whole: nearer than this there is nothing to see

function remembered() {
  try {
    const { axis, weight, band, most } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return { axis: AXES.includes(axis) ? axis : 'epoch', weight: weight >= 0 && weight < 1 ? weight : 0, band: band !== false, most: most === true };
  } catch {
    return { axis: 'epoch', weight: 0, band: true, most: false };
  }
}

export class ChartGroup {
  /** onWindow(zoom): another part is seen; null: the whole. start: when the run began, in ms, for the axis of time. */
  constructor({ onWindow = () => {}, start = null } = {}) {
    Object.assign(this, remembered(), { onWindow, start, zoom: null, cursor: null, marks: [] });
    this.charts = new Set();
    this.watchers = new Set();
  }

  /** fn(): how the charts look has changed: for what shows it. */
  watch(fn) {
    this.watchers.add(fn);
  }

  tell() {
    for (const fn of this.watchers) fn();
  }

  add(chart) {
    this.charts.add(chart);
  }

  remove(chart) {
    this.charts.delete(chart);
  }

  /** {axis, weight, band, most}: those that change. most: the axis of values is as wide as most of them need. What is zoomed into stays the same part of the run. */
  choose(choice) {
    const at = choice.axis && this.zoom && this.lead()?.convert(this.zoom, this.axis, choice.axis);
    Object.assign(this, choice);
    if (choice.axis) this.zoom = at || null;
    try {
      localStorage.setItem(KEY, JSON.stringify({ axis: this.axis, weight: this.weight, band: this.band, most: this.most }));
    } catch {
      // Storage may be forbidden; the choice lasts as long as the page.
    }
    for (const chart of this.charts) {
      if (choice.axis) chart.rebuild();
      else chart.schedule();
    }
    this.tell();
  }

  setMarks(marks) {
    this.marks = marks;
    for (const chart of this.charts) chart.schedule();
  }

  /** The chart that knows most of where points are. */
  lead() {
    return [...this.charts].reduce((best, chart) => (chart.last > (best?.last ?? -Infinity) ? chart : best), undefined);
  }

  /** From the beginning to the last point of any of the charts. */
  get whole() {
    return [0, Math.max(...[...this.charts].map((chart) => chart.last), 0) || 1];
  }

  get range() {
    return this.zoom ?? this.whole;
  }

  setZoom(range) {
    const [begin, end] = this.whole;
    let [from, to] = range ?? [begin, end];
    if (to - from >= end - begin) [from, to] = [begin, end];
    else if (from < begin) [from, to] = [begin, begin + to - from];
    else if (to > end) [from, to] = [end - (to - from), end];
    if (to - from < (end - begin) * CLOSEST) return;
    this.zoom = from === begin && to === end ? null : [from, to];
    for (const chart of this.charts) chart.schedule();
    this.tell();
    this.onWindow(this.zoom);
  }

  /** factor < 1: closer. `share` of what is seen stays where it is. */
  zoomBy(factor, share = 0.5) {
    const [from, to] = this.range;
    const at = from + (to - from) * share;
    this.setZoom([at - (at - from) * factor, at + (to - at) * factor]);
  }

  /** By a share of what is seen. */
  pan(share) {
    if (!this.zoom) return;
    const [from, to] = this.zoom;
    this.setZoom([from + (to - from) * share, to + (to - from) * share]);
  }

  /** x, or null: no cursor. All but `source` follow. */
  setCursor(x, source) {
    if (x === this.cursor) return;
    this.cursor = x;
    for (const chart of this.charts) if (chart !== source) chart.follow(x);
  }
}

// panels/compare_charts.js: the curves of several runs, a chart for each series that they share; repeats as each, or as their mean.

import { get, pause } from '../lib/api.js';
import { hasNegative } from '../lib/axes.js';
import { Chart } from '../lib/chart.js';
import { branched, branchOf, meanOf, repeatsOf, sharedSeries } from '../lib/compare.js';
import { emptySeries, spliced } from '../lib/curve.js';
import { h, newId, show, throttled } from '../lib/dom.js';
import { terminal } from '../lib/format.js';
import { ChartGroup } from '../lib/group.js';
import { menu } from '../lib/menu.js';
import { jobName } from './runrow.js';
import { help, saveItems } from './curve.js';
import { windowOf } from './curves.js';
import { CurveToolbar } from './toolbar.js';

const LARGE = 260; // pixels high
const SMALL = 160;
const LIVE_MS = 2000; // between two readings of the curves that grow
const DASH = [6, 4];
const WAYS = [['each', 'each run'], ['range', 'mean, least to greatest'], ['sd', 'mean ± one standard deviation']];

/** Points of each curve of each run, so that all of it stays small enough to come at once. */
const pointsFor = (runs, series) => Math.max(120, Math.min(1000, Math.floor(60000 / Math.max(1, runs * series))));

/** One series on a chart of its own: its curves are the runs. */
class SeriesChart {
  constructor(row, lines, { group, height, onmark }) {
    this.row = row;
    const meta = lines.map((line) => ({ ...row, ...line }));
    this.log = row.unit !== 'share' && row.unit !== 'probability' && row.headline;
    this.chart = new Chart(meta, { log: this.log, title: row.name, name: 'compared runs', height, group });
    this.box = h('input', { type: 'checkbox', onchange: () => this.choose() });
    this.box.checked = this.log;
    const id = newId('series');
    this.node = h('section', { class: 'card compared', 'aria-labelledby': id }, h('div', { class: 'head' }, h('h2', { id }, row.name),
      h('div', { class: 'controls' }, h('label', {}, this.box, 'log scale'),
        menu('Save', `Save the chart ${row.name}`, saveItems(this.chart)))),
      this.chart.node, help([row]));
    const over = (event) => onmark(meta[[...this.chart.readout.children].indexOf(event.target.closest('.readout > div'))]?.name);
    for (const type of ['pointerover', 'focusin']) this.chart.readout.addEventListener(type, over);
    for (const type of ['pointerleave', 'focusout']) this.chart.readout.addEventListener(type, () => onmark(undefined));
  }

  choose() {
    this.chosen = true;
    this.chart.setLog(this.box.checked);
  }

  /** points: id of a line → its curve. */
  setPoints(points) {
    if (this.box.checked && !this.chosen && hasNegative(this.chart.meta, points)) {
      this.box.checked = false;
      this.chart.setLog(false);
    }
    this.chart.setPoints(points);
  }

  close() {
    this.chart.close();
  }
}

export class CompareCharts {
  /** slot(id): how a run is drawn; onmark(id): a line is looked at; way: how repeats are drawn at first, one of WAYS. */
  constructor(jobs, kinds, { slot, signal, onmark, way = 'each' }) {
    Object.assign(this, { jobs, kinds, slot, signal, onmark, curves: new Map(), fine: null, seen: null });
    this.repeats = repeatsOf(jobs);
    this.way = this.repeats.length ? way : 'each';
    this.series = sharedSeries(jobs, kinds);
    const count = this.series.filter(({ headline }) => headline).length || Math.min(1, this.series.length);
    [this.first, this.others] = [this.series.slice(0, count), this.series.slice(count)];
    this.group = new ChartGroup({ onWindow: (zoom) => this.onWindow(zoom),
      start: jobs.find((job) => job.started_at_ms)?.started_at_ms ?? null });
    this.readFine = throttled(() => this.readWindow().catch(() => {}), 150);
    this.grid = h('div', { class: 'compared-charts' });
    this.small = h('div', { class: 'compared-charts small' });
    this.more = h('details', { class: 'card more-series', ontoggle: () => this.onMore() },
      h('summary', {}, `${this.others.length} more that they share`), this.small);
    show(this.more, this.others.length > 0);
    this.node = h('div', { class: 'all-curves' }, h('div', { class: 'controls compare-tools' }, new CurveToolbar(this.group).node,
      this.wayChoice()),
      this.series.length ? this.grid : h('p', { class: 'card quiet' }, 'These runs have no curve in common.'), this.more);
    this.build();
  }

  wayChoice() {
    const name = newId('way');
    const choose = (way) => { this.way = way; this.build(); };
    const node = h('span', { class: 'segments', role: 'radiogroup', 'aria-label': 'Repeats' }, WAYS.map(([way, text]) => {
      const input = h('input', { type: 'radio', name, value: way, onchange: () => choose(way) });
      input.checked = way === this.way;
      return h('label', {}, input, text);
    }));
    show(node, this.repeats.length > 0);
    return node;
  }

  /** What is drawn: a line a run, or one for those that differ in their seed only. */
  get lines() {
    const line = (job) => ({ name: job.id, label: jobName(job), start: job.started_at_ms, members: [job], ...this.look(job.id) });
    if (this.way === 'each') return this.jobs.map(line);
    const repeated = new Set(this.repeats.flat());
    const means = this.repeats.map((group) => ({ ...line(group[0]), label: `${jobName(group[0])}: mean of ${group.length}`,
      members: group }));
    return [...means, ...this.jobs.filter((job) => !repeated.has(job)).map(line)];
  }

  look(id) {
    const slot = this.slot(id);
    return { colour: slot % 10, ...(slot >= 10 && { dash: DASH }) };
  }

  // --- charts --------------------------------------------------------------------------------------------------------------

  build() {
    this.charts?.forEach((chart) => chart.close());
    const { group, onmark, lines } = this;
    const make = (height) => (row) => new SeriesChart(row, lines, { group, height, onmark });
    this.drawn = lines;
    const large = this.first.map(make(LARGE));
    const small = this.more.open ? this.others.map(make(SMALL)) : [];
    this.charts = [...large, ...small];
    this.grid.replaceChildren(...large.map(({ node }) => node));
    this.small.replaceChildren(...small.map(({ node }) => node));
    group.setMarks(this.jobs.flatMap((job) => this.forkMark(job)));
    this.draw();
  }

  forkMark(job) {
    const branch = branchOf(job, this.jobs);
    const curve = branch && this.curvesOf(job.id, this.first[0]?.name);
    const step = curve?.step[curve.epoch.findIndex((epoch) => epoch >= branch.epoch)];
    return step === undefined ? [] : [{ type: 'fork', step,
      text: `${jobName(job)} leaves ${jobName(branch.parent)} at epoch ${branch.epoch}` }];
  }

  get names() {
    return (this.more.open ? this.series : this.first).map(({ name }) => name);
  }

  onMore() {
    if (this.more.open === this.wasOpen) return;
    this.wasOpen = this.more.open;
    this.build();
    this.read(this.jobs).catch(() => {});
  }

  curvesOf(id, name) {
    return this.curves.get(id)?.[name];
  }

  /** A fork begins where it left its parent, if that is here. */
  curveOf(job, name) {
    const whole = this.curvesOf(job.id, name) ?? emptySeries();
    const curve = this.fine ? spliced(whole, this.fine[job.id]?.series[name]) : whole;
    const branch = branchOf(job, this.jobs);
    return branch ? branched(curve, branch.epoch) : curve;
  }

  draw() {
    for (const chart of this.charts) {
      const { name } = chart.row;
      chart.setPoints(Object.fromEntries(this.drawn.map((line) => [line.name, line.members.length > 1
        ? meanOf(line.members.map((job) => this.curveOf(job, name)), this.way) : this.curveOf(line.members[0], name)])));
    }
  }

  mark(id) {
    const line = this.drawn.find(({ members }) => members.some((job) => job.id === id));
    for (const { chart } of this.charts) chart.emphasise(line?.name);
  }

  // --- points --------------------------------------------------------------------------------------------------------------

  path(jobs, names, points) {
    return `v1/metrics?jobs=${jobs.map((job) => job.id)}&names=${names}&by=step&points=${points}`;
  }

  /** The request for what is shown. */
  get request() {
    return this.path(this.jobs, this.names, pointsFor(this.jobs.length, this.names.length));
  }

  async read(jobs) {
    const { names } = this;
    if (!names.length || !jobs.length) return;
    const { data } = await get(this.path(jobs, names, pointsFor(this.jobs.length, names.length)), this.signal);
    for (const [id, { series, downsampled }] of Object.entries(data)) {
      this.curves.set(id, { ...this.curves.get(id), ...series });
      this.thinned ||= downsampled;
    }
    if (this.jobs.some((job) => branchOf(job, this.jobs))) this.group.setMarks(this.jobs.flatMap((job) => this.forkMark(job)));
    this.draw();
  }

  onWindow(zoom) {
    const windows = zoom && this.jobs.map((job) => windowOf(this.curves.get(job.id) ?? {}, this.group.axis, job.started_at_ms, zoom))
      .filter(([, last]) => last > 1);
    this.seen = windows?.length ? [Math.min(...windows.map(([first]) => first)), Math.max(...windows.map(([, last]) => last))] : null;
    if (this.seen) this.readFine();
    else this.fine = null;
    this.draw();
  }

  /** What is zoomed into, as finely as the daemon has it. */
  async readWindow() {
    if (!this.seen || !this.thinned) return;
    const [from, to] = this.seen;
    const { data } = await get(`${this.request}&from_step=${from}&to_step=${to}`, this.signal);
    if (!this.seen) return;
    this.fine = data;
    this.draw();
  }

  /** As long as some of them are at work. `readJobs(jobs)` → the same, as they are now. */
  async follow(readJobs, signal) {
    for (;;) {
      await pause(LIVE_MS, signal);
      const live = this.jobs.filter((job) => !terminal(job));
      if (signal.aborted || !live.length) return;
      if (document.visibilityState !== 'visible') continue;
      await this.read(live).catch(() => {});
      const now = await readJobs(live).catch(() => []);
      if (signal.aborted) return;
      for (const job of now) this.jobs[this.jobs.findIndex(({ id }) => id === job.id)] = job;
      await this.read(now.filter(terminal)).catch(() => {}); // the last of them
    }
  }

  close() {
    this.readFine.cancel();
    this.charts.forEach((chart) => chart.close());
  }
}

// panels/study_curves.js: how the trials got there: the objective of each, epoch by epoch; of repeats their mean and band.

import { get } from '../lib/api.js';
import { h, setText, show, svg } from '../lib/dom.js';
import { loss } from '../lib/format.js';
import { Plot, sign } from '../lib/plot.js';
import { band, isNumber, place, repeats } from '../lib/trials.js';
import { ranks } from './study_slices.js';
import { paramText } from './study_words.js';

const MOST = 200; // trials whose curves are drawn: the best
const AT_ONCE = 100; // of which so many are asked for with one request
const POINTS = 120;
const CUT = 80; // so many points, and the greatest few need not be seen

const ended = ({ state }) => state !== 'running' && state !== 'waiting';

/** The curves of many jobs, each read once after it has ended, with every call while it runs. */
export class Curves {
  constructor(metric, signal) {
    Object.assign(this, { metric, signal, of: new Map(), final: new Set() });
  }

  async read(trials) {
    const wanted = trials.filter(({ job, epochs }) => job && epochs > 0 && !this.final.has(job)).slice(0, MOST);
    for (let i = 0; i < wanted.length; i += AT_ONCE) await this.readSome(wanted.slice(i, i + AT_ONCE));
    return wanted.length > 0;
  }

  async readSome(trials) {
    const found = await this.ask(trials.map(({ job }) => job));
    trials.forEach((trial) => {
      const series = found[trial.job]?.series[this.metric];
      if (series) this.of.set(trial.job, { epoch: series.epoch, value: series.value });
      if (ended(trial)) this.final.add(trial.job);
    });
  }

  /** One that has been deleted meanwhile makes the whole question fail: then each is asked by itself. */
  async ask(jobs) {
    const query = `names=${this.metric}&by=epoch&points=${POINTS}`;
    try {
      return (await get(`v1/metrics?jobs=${jobs.join()}&${query}`, this.signal)).data;
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      const each = await Promise.all(jobs.map((job) => get(`v1/jobs/${job}/metrics?${query}`, this.signal).catch(() => null)));
      return Object.fromEntries(jobs.map((job, i) => [job, each[i]]));
    }
  }
}

/** Axes that hold all curves; a start far above the rest is cut off, it says nothing of how they ended. */
function extent(curves, log) {
  const values = curves.flatMap(({ value }) => value).filter(isNumber).sort((a, b) => a - b);
  const epochs = curves.flatMap(({ epoch }) => epoch);
  if (!values.length) return null;
  const [low, high] = [values[0], values.length < CUT ? values.at(-1) : values[Math.floor(0.98 * (values.length - 1))]];
  const use = log && low > 0 && high / low > 3;
  return { x: { name: 'epoch', low: Math.min(...epochs, 1), high: Math.max(...epochs, 2), log: false, whole: true },
    y: { low, high: high > low ? high : low + (Math.abs(low) * 0.1 || 1), log: use } };
}

export class CurvesPanel {
  constructor(handlers) {
    this.plot = new Plot({ name: 'curves', label: 'Curves of the trials', height: 340, draw: (plot) => this.draw(plot), ...handlers });
    this.plots = [this.plot];
    this.hint = h('p', { class: 'hint' });
    this.node = h('section', { class: 'card', 'aria-labelledby': 'curves-title', hidden: true },
      h('div', { class: 'head' }, h('h2', { id: 'curves-title' }, 'On the way'), this.plot.save), this.hint, this.plot.node);
  }

  set(study, curves) {
    Object.assign(this, { study, curves });
    this.shown = study.trials.filter(({ job }) => curves.of.has(job));
    show(this.node, this.shown.length > 0);
    const pruned = this.shown.filter(({ state }) => state === 'pruned').length;
    setText(this.hint, `${study.metric} of ${this.shown.length} trials, epoch by epoch${pruned ? `; ${pruned} of them ended early, at the rhomb` : ''}.`);
    this.plot.update();
  }

  draw(plot) {
    if (!this.shown?.length) return;
    const all = this.shown.map(({ job }) => this.curves.of.get(job));
    const axes = extent(all, true);
    if (!axes) return;
    const box = plot.axes(axes.x, axes.y);
    const rank = ranks(this.study.trials, this.study.direction);
    for (const trial of [...this.shown].sort((a, b) => (rank.get(a.number) ?? -1) - (rank.get(b.number) ?? -1))) {
      this.line(plot, trial, this.curves.of.get(trial.job), { box, axes, rank: rank.get(trial.number) ?? 0 });
    }
    plot.describe(`${this.study.metric} of ${this.shown.length} trials by epoch`);
  }

  line(plot, trial, curve, { box, axes, rank }) {
    const at = curve.epoch.map((epoch, i) => (isNumber(curve.value[i])
      ? [box.x(place(axes.x, epoch)), Math.max(box.top, box.y(Math.min(1.04, place(axes.y, curve.value[i]))))] : null)).filter(Boolean);
    if (!at.length) return;
    const node = svg('g', { class: `curve ${trial.state}` }, svg('path',
      { class: 'curve-line', d: `M${at.map((p) => p.map((v) => v.toFixed(1)).join()).join('L')}` }),
      (trial.state === 'pruned' || at.length === 1) && sign(trial.state, ...at.at(-1), 3));
    node.style.setProperty('--rank', String(rank));
    plot.item(trial.number, node, at,
      `trial ${trial.number}: ${loss(trial.value ?? curve.value.at(-1))}${trial.state === 'complete' ? '' : `, ${trial.state}`}`);
  }
}

/** What repeats on other seeds say: a band around the mean of each group, and the groups as a table. */
export class RepeatsPanel {
  constructor({ title, onPick }) {
    this.plot = new Plot({ name: 'repeats', label: 'Repeats', height: 260, draw: (plot) => this.draw(plot),
      onMark: (key) => this.plot.mark(key), onPick });
    this.plots = [this.plot];
    this.title = title;
    this.body = h('tbody');
    this.table = h('table', {}, h('thead', {}, h('tr', {}, ['', 'Runs', 'Mean', '± sd', 'Least', 'Greatest', 'Seeds']
      .map((text, i) => h('th', { scope: 'col', class: i > 0 && i < 6 ? 'num' : '' }, text)))), this.body);
    this.node = h('section', { class: 'card repeats', 'aria-labelledby': 'repeats-title', hidden: true },
      h('div', { class: 'head' }, h('h2', { id: 'repeats-title' }, title), this.plot.save),
      h('p', { class: 'hint' }, 'A line is the mean of a group at each epoch, its band one standard deviation to either side; thin lines are the runs themselves.'),
      this.plot.node, h('div', { class: 'wide-table', tabindex: '0', role: 'region', 'aria-label': 'Mean and deviation of the repeats' },
        this.table));
  }

  /** `rows`: trials or what was trained again; `nameOf(group)`. */
  set(rows, { direction, metric }, curves, nameOf) {
    this.groups = repeats(rows, direction).filter(({ trials }) => trials.length > 1);
    Object.assign(this, { curves, metric, nameOf });
    show(this.node, this.groups.length > 0);
    this.body.replaceChildren(...this.groups.map((group, i) => this.row(group, i)));
    this.plot.update();
  }

  row({ trials, params, n, mean, sd, low, high, ...group }, i) {
    const link = (trial) => (trial.job ? h('a', { href: `#/runs/${trial.job}`, title: `${loss(trial.value)}` }, String(trial.seed))
      : String(trial.seed));
    return h('tr', {}, h('th', { scope: 'row' }, h('span', { class: `swatch c${(i % 10) + 1}`, 'aria-hidden': 'true' }),
      ` ${this.nameOf({ trials, params, ...group })}`),
      h('td', { class: 'num' }, `${n} of ${trials.length}`), [mean, sd, low, high].map((value) => h('td', { class: 'num' }, loss(value))),
      h('td', {}, trials.flatMap((trial, k) => [k ? ', ' : '', link(trial)])));
  }

  draw(plot) {
    const members = (group) => group.trials.map((trial) => ({ trial, curve: this.curves.of.get(trial.job) })).filter(({ curve }) => curve);
    const drawn = this.groups.map((group, i) => ({ group, i, members: members(group) })).filter(({ members: list }) => list.length);
    const axes = extent(drawn.flatMap(({ members: list }) => list.map(({ curve }) => curve)), true);
    if (!axes) return;
    const box = plot.axes(axes.x, axes.y);
    const point = (epoch, value) => [box.x(place(axes.x, epoch)),
      Math.max(box.top, box.y(Math.min(1.04, place(axes.y, Math.max(value, axes.y.log ? axes.y.low * 0.98 : -Infinity)))))];
    for (const { i, members: list } of drawn) this.band(plot, list, `s${(i % 10) + 1}`, point);
    plot.describe(`${this.metric} of repeats: ${this.groups.map((group) => `${this.nameOf(group)} ${loss(group.mean)} ± ${loss(group.sd)}`).join('; ')}`);
    plot.svg.dataset.bands = String(drawn.length);
  }

  band(plot, members, cls, point) {
    const d = (points) => `M${points.map((p) => p.map((v) => v.toFixed(1)).join()).join('L')}`;
    const rows = band(members.map(({ curve }) => curve));
    plot.add(svg('path', { class: `band ${cls}`,
      d: `${d([...rows.map((row) => point(row.epoch, row.high)), ...rows.map((row) => point(row.epoch, row.low)).reverse()])}Z` }));
    for (const { trial, curve } of members) {
      const at = curve.epoch.map((epoch, k) => (isNumber(curve.value[k]) ? point(epoch, curve.value[k]) : null)).filter(Boolean);
      if (at.length) plot.item(trial.job, svg('path', { class: `member ${cls}`, d: d(at) }), at,
        `seed ${trial.seed}: ${loss(trial.value)}`);
    }
    plot.add(svg('path', { class: `mean ${cls}`, d: d(rows.map((row) => point(row.epoch, row.mean))) }));
  }
}

/** What the trials of a group have in common, in words. */
export const groupName = ({ params }) => Object.entries(params).map(([name, value]) => `${name} ${paramText(value)}`).join(', ')
  || 'as the base';

// panels/curve.js: curves of a run that share an axis, with their controls, their meaning and their numbers as a table.

import { get } from '../lib/api.js';
import { classRows, hasNegative, sharesOf } from '../lib/axes.js';
import { Chart } from '../lib/chart.js';
import { h, newId, throttled } from '../lib/dom.js';
import { loss } from '../lib/format.js';

const SMALL = 150; // pixels high

function help(rows) {
  const entry = (row) => [
    h('dt', {}, row.name),
    h('dd', {}, row.help, row.formula ? h('code', { class: 'formula' }, row.formula) : null,
      (row.reference_lines ?? []).map((line) => h('span', { class: 'reference' }, `${line.label}: ${loss(line.value)}`))),
  ];
  return h('details', {}, h('summary', {}, 'What these curves say'), h('dl', { class: 'help' }, rows.flatMap(entry)));
}

export class CurvePanel {
  /** chart: one of chartsOf(). */
  constructor(chart, path) {
    this.path = path;
    this.rows = chart.rows;
    this.names = chart.rows.map((row) => row.name);
    this.chart = new Chart(chart.rows, { log: chart.log, title: chart.title });
    this.table = this.numbers();
    this.recolour = () => this.chart.rebuild();
    document.addEventListener('themechange', this.recolour);
    const id = newId('curves');
    this.node = h('section', { class: 'card curves', 'aria-labelledby': id },
      h('div', { class: 'head' }, h('h2', { id }, chart.title), this.controls(chart.log)),
      this.chart.node, help(this.rows), this.table);
  }

  controls(logarithmic) {
    this.log = h('input', { type: 'checkbox', checked: logarithmic, onchange: () => this.chooseLog() });
    const smoothing = h('input', { type: 'range', min: '0', max: '0.95', step: '0.05', value: '0', class: 'short',
      oninput: () => this.chart.setSmoothing(Number(smoothing.value)) });
    return h('div', { class: 'controls' }, this.chart.hint, this.chart.reset, h('label', {}, this.log, 'log scale'), h('label', {}, 'smooth', smoothing));
  }

  chooseLog() {
    this.chosen = true;
    this.chart.setLog(this.log.checked);
  }

  numbers() {
    const body = h('tbody');
    this.readNumbers = throttled(() => this.fillNumbers(body).catch(() => {}), 2000);
    const details = h('details', { ontoggle: () => details.open && this.readNumbers() }, h('summary', {}, 'Numbers per epoch'),
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Numbers per epoch' },
        h('table', {}, h('thead', {}, h('tr', {}, ['epoch', ...this.names].map((name) => h('th', { scope: 'col', class: 'num' }, name)))),
          body)));
    return details;
  }

  async fillNumbers(body) {
    const { series } = await get(`${this.path}/metrics?names=${this.names.join(',')}&by=epoch&points=100000`);
    const rows = new Map();
    this.names.forEach((name, column) => series[name]?.epoch.forEach((epoch, i) => {
      const key = Math.ceil(epoch);
      if (!rows.has(key)) rows.set(key, this.names.map(() => null));
      rows.get(key)[column] = series[name].value[i];
    }));
    body.replaceChildren(...[...rows].sort(([a], [b]) => b - a).map(([epoch, values]) => h('tr', {},
      h('th', { scope: 'row', class: 'num' }, String(epoch)), values.map((v) => h('td', { class: 'num' }, loss(v))))));
  }

  setPoints(series) {
    if (this.log.checked && !this.chosen && hasNegative(this.rows, series)) {
      this.log.checked = false;
      this.chart.setLog(false);
    }
    this.chart.setPoints(series);
    if (this.table.open) this.readNumbers();
  }

  close() {
    document.removeEventListener('themechange', this.recolour);
    this.readNumbers.cancel();
    this.chart.close();
  }
}

/** Curves that are alone on their axes, side by side; and the shares of the classes, once their names are known. node false: the
 * kind has none. */
export class SmallCurvesPanel {
  constructor(kind, charts, dataset, signal) {
    this.shares = sharesOf(kind);
    this.names = [...charts.map(({ rows }) => rows[0].name), ...(this.shares ? [this.shares.name] : [])];
    this.charts = [];
    this.series = {};
    this.recolour = () => this.charts.forEach((chart) => chart.rebuild());
    document.addEventListener('themechange', this.recolour);
    const id = newId('curves');
    this.grid = h('div', { class: 'small-charts' }, charts.map(({ title, rows, log }) => this.add(title, rows, log)));
    this.node = this.names.length > 0 && h('section', { class: 'card small-curves', 'aria-labelledby': id }, h('h2', { id }, 'More curves'), this.grid,
      help([...charts.flatMap(({ rows }) => rows), ...(this.shares ? [this.shares] : [])]));
    if (this.shares) this.addShares(dataset, signal).catch(() => {});
  }

  add(title, rows, log) {
    const chart = new Chart(rows, { log, title, height: SMALL });
    this.charts.push(chart);
    return h('div', { class: rows.length > 1 ? 'all' : '' }, h('h3', {}, title), chart.node);
  }

  async addShares(dataset, signal) {
    const { classes } = await get(`v1/datasets/${encodeURIComponent(dataset)}`, signal);
    this.grid.append(this.add(this.shares.unit, classRows(this.shares, classes), false));
    this.setPoints(this.series);
  }

  setPoints(series) {
    this.series = series;
    for (const chart of this.charts) {
      if (chart.log && hasNegative(chart.meta, series)) chart.setLog(false);
      chart.setPoints(series);
    }
  }

  close() {
    document.removeEventListener('themechange', this.recolour);
    this.charts.forEach((chart) => chart.close());
  }
}

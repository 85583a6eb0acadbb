// panels/curve.js: a chart of curves that share an axis, with its controls, their meaning, their numbers as a table, and files of it.

import { download, get } from '../lib/api.js';
import { hasNegative } from '../lib/axes.js';
import { Chart } from '../lib/chart.js';
import { toCsv, toPng, toSvg } from '../lib/chartfile.js';
import { complain, h, newId, save, show, throttled } from '../lib/dom.js';
import { loss } from '../lib/format.js';
import { menu } from '../lib/menu.js';

const SMALL = 150; // pixels high

/** What the curves of these rows say, and their formulas. */
export function help(rows) {
  const entry = (row) => [
    h('dt', {}, row.name),
    h('dd', {}, row.help, row.formula ? h('code', { class: 'formula' }, row.formula) : null,
      (row.reference_lines ?? []).map((line) => h('span', { class: 'reference' }, `${line.label}: ${loss(line.value)}`))),
  ];
  return h('details', {}, h('summary', {}, 'What these curves say'), h('dl', { class: 'help' }, rows.flatMap(entry)));
}

/** "Loss" of the run "vae 5" → vae-5-loss.png */
const fileName = (chart, ending) => `${[chart.name, chart.title].join(' ').toLowerCase().replace(/[^\p{L}\p{N}_.]+/gu, '-').replace(/^-|-$/g, '')}.${ending}`;

async function saveAs(chart, ending, make) {
  try {
    if (chart.plot) save(await make(chart), fileName(chart, ending));
  } catch (problem) {
    complain(problem);
  }
}

/** Buttons that save the chart as it is seen. */
export function saveItems(chart) {
  const item = (ending, make, text) => h('button', { type: 'button', onclick: () => saveAs(chart, ending, make) }, text);
  return [item('png', toPng, 'PNG'), item('svg', toSvg, 'SVG'), item('csv', toCsv, 'CSV of what is seen')];
}

/** Whether the chart is logarithmic: as it suits the points until somebody chooses. */
class LogChoice {
  constructor(chart) {
    this.chart = chart;
    this.box = h('input', { type: 'checkbox', checked: chart.log, onchange: () => this.choose() });
    this.node = h('label', {}, this.box, 'log scale');
  }

  choose() {
    this.chosen = true;
    this.chart.setLog(this.box.checked);
  }

  /** A loss that has been below 0 has no logarithm. */
  suit(series) {
    if (!this.box.checked || this.chosen || !hasNegative(this.chart.meta, series)) return;
    this.box.checked = false;
    this.chart.setLog(false);
  }
}

/** One chart as a card of its own. chart: one of chartsOf(). */
export class CurvePanel {
  constructor(chart, { path, group, name, marks = false }) {
    this.path = path;
    this.rows = chart.rows;
    this.names = chart.rows.map((row) => row.name);
    this.chart = new Chart(chart.rows, { log: chart.log, title: chart.title, name, group, marks });
    this.log = new LogChoice(this.chart);
    this.table = this.numbers();
    const id = newId('curves');
    const whole = h('button', { type: 'button', onclick: () => download(`${path}/metrics.csv?names=${this.names.join(',')}&by=step`, fileName(this.chart, 'csv')).catch(complain) },
      'CSV of every step');
    this.node = h('section', { class: 'card curves', 'aria-labelledby': id },
      h('div', { class: 'head' }, h('h2', { id }, chart.title), h('div', { class: 'controls' }, this.log.node, menu('Save', `Save the chart ${chart.title}`, saveItems(this.chart), whole))),
      this.chart.node, help(this.rows), this.table);
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
    this.log.suit(series);
    this.chart.setPoints(series);
    if (this.table.open) this.readNumbers();
  }

  close() {
    this.readNumbers.cancel();
    this.chart.close();
  }
}

/** A chart among others, without a card of its own; not seen before it has points. */
export class SmallCurve {
  constructor({ title, rows, log }, { group, name }) {
    this.chart = new Chart(rows, { log, title, name, height: SMALL, group });
    this.log = new LogChoice(this.chart);
    this.node = h('div', { class: rows.length > 1 ? 'small-curve all' : 'small-curve', hidden: true },
      h('div', { class: 'head' }, h('h3', {}, title), menu('⋯', `Chart ${title}`, this.log.node, saveItems(this.chart))), this.chart.node);
  }

  setPoints(series) {
    const known = this.chart.meta.some(({ name }) => series[name]?.step.length);
    if (known) show(this.node, true);
    this.log.suit(series);
    if (known) this.chart.setPoints(series);
  }

  close() {
    this.chart.close();
  }
}

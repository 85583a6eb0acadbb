// panel_curve.js: the loss curves of a run with their controls, their meaning and their numbers as a table.

import { get } from './api.js';
import { Chart } from './chart.js';
import { h, newId, throttled } from './dom.js';
import { loss } from './format.js';

const HOUSEKEEPING = ['lr', 'samples_per_s', 'sparsity', 'loss_before_prune', 'loss_after_prune']; // every kind has them, and they share no axis with a loss

/** The series that share an axis: shares from 0 to 1 (accuracies), or the others. Counts, and the curves of single units, are for the
 * panel of units. */
const onAxis = (kind, shares) => kind.series.filter((row) => !HOUSEKEEPING.includes(row.name) && !row.per_unit && row.unit !== 'units'
  && (row.unit === 'share') === shares);

export const hasShares = (kind) => onAxis(kind, true).length > 0;

export class CurvePanel {
  constructor(kind, path, { shares = false } = {}) {
    this.path = path;
    this.series = onAxis(kind, shares);
    this.names = this.series.map((row) => row.name);
    this.log = !shares;
    this.chart = new Chart(this.series, { log: this.log, title: shares ? 'Accuracy' : 'Loss' });
    this.table = this.numbers();
    this.recolour = () => this.chart.rebuild();
    document.addEventListener('themechange', this.recolour);
    const id = newId('curves');
    this.node = h('section', { class: 'card curves', 'aria-labelledby': id },
      h('div', { class: 'head' }, h('h2', { id }, shares ? 'Accuracy' : 'Loss'), this.controls()),
      this.chart.node, this.help(), this.table);
  }

  controls() {
    const log = h('input', { type: 'checkbox', checked: this.log, onchange: () => this.chart.setLog(log.checked) });
    const smoothing = h('input', { type: 'range', min: '0', max: '0.95', step: '0.05', value: '0', class: 'short',
      oninput: () => this.chart.setSmoothing(Number(smoothing.value)) });
    return h('div', { class: 'controls' }, this.chart.hint, this.chart.reset, h('label', {}, log, 'log scale'), h('label', {}, 'smooth', smoothing));
  }

  help() {
    const entry = (row) => [
      h('dt', {}, row.name),
      h('dd', {}, row.help, row.formula ? h('code', { class: 'formula' }, row.formula) : null,
        (row.reference_lines ?? []).map((line) => h('span', { class: 'reference' }, `${line.label}: ${loss(line.value)}`))),
    ];
    return h('details', {}, h('summary', {}, 'What these curves say'), h('dl', { class: 'help' }, this.series.flatMap(entry)));
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
    this.chart.setPoints(series);
    if (this.table.open) this.readNumbers();
  }

  close() {
    document.removeEventListener('themechange', this.recolour);
    this.readNumbers.cancel();
    this.chart.close();
  }
}

// panels/units.js: what each unit of the code tells: bars of the newest point of the series that a kind draws for every unit, and the
// curves of those that tell most.

import { get } from '../lib/api.js';
import { Chart } from '../lib/chart.js';
import { refreshed } from '../lib/curve.js';
import { h, newId, setText, show, throttled } from '../lib/dom.js';
import { loss } from '../lib/format.js';

const LOUD = 0.01; // shares of the largest below this are as good as nothing to look at
const CURVES = 10; // more lines than colours tell nothing
const HEIGHT = 200;
const WAIT_MS = 2000;

export class UnitsPanel {
  constructor(kind, path, group, signal) {
    Object.assign(this, { path, group, signal, values: [] });
    this.row = kind.series.find((row) => row.per_unit);
    this.counts = kind.series.filter((row) => row.unit === 'units');
    if (!this.row) return;
    const id = newId('units');
    this.read = throttled(() => this.readCurves().catch(() => {}), WAIT_MS);
    this.said = h('p', { class: 'quiet' });
    this.bars = h('div', { class: 'unit-bars', role: 'img' });
    this.place = h('div');
    this.time = h('details', { ontoggle: () => this.time.open && this.read() }, h('summary', {}, 'Over time'), this.place);
    this.node = h('section', { class: 'card units', 'aria-labelledby': id, hidden: true }, h('h2', { id }, `Units: ${this.row.name}`), this.said, this.bars,
      this.time, h('details', {}, h('summary', {}, 'What these bars say'), h('p', {}, this.row.help), h('code', { class: 'formula' }, this.row.formula),
        this.counts.map((row) => h('p', {}, `${row.name}: ${row.help}`))));
  }

  /** metrics: the newest value of each series, by name. */
  set(metrics) {
    if (!this.row) return;
    const values = [];
    for (let i = 0; Number.isFinite(metrics?.[`${this.row.name}_${i}`]); i++) values.push(metrics[`${this.row.name}_${i}`]);
    this.values = values;
    show(this.node, values.length > 0);
    if (!values.length) return;
    const most = Math.max(...values, 1e-9);
    while (this.bars.children.length < values.length) this.bars.append(h('div'));
    values.forEach((value, i) => {
      const bar = this.bars.children[i];
      bar.style.height = `${Math.max(2, (value / most) * 100)}%`;
      bar.className = value < LOUD * most ? 'silent' : '';
      bar.title = `unit ${i}: ${loss(value)} ${this.row.unit}`;
    });
    const counts = this.counts.filter((row) => row.name in metrics).map((row) => `${row.name} ${metrics[row.name]} of ${values.length}`);
    setText(this.said, [...counts, `largest ${loss(most)} ${this.row.unit}`].join(' · '));
    this.bars.setAttribute('aria-label', values.map((value, i) => `unit ${i}: ${loss(value)}`).join(', '));
  }

  onEpoch() {
    if (this.time?.open) this.read();
  }

  /** Of the units that told most when it was opened: lines that keep their colours. */
  makeChart() {
    const loud = this.values.map((value, i) => [value, i]).sort(([a], [b]) => b - a).slice(0, CURVES).map(([, i]) => i).sort((a, b) => a - b);
    this.chart = new Chart(loud.map((i) => ({ ...this.row, name: `${this.row.name}_${i}`, label: `z${i}`, reference_lines: [] })),
      { log: false, title: this.row.name, height: HEIGHT, group: this.group });
    this.place.append(loud.length < this.values.length ? h('p', { class: 'quiet' }, `The ${CURVES} of ${this.values.length} units that tell most.`) : '', this.chart.node);
  }

  async readCurves() {
    if (!this.values.length) return;
    if (!this.chart) this.makeChart();
    const names = this.chart.meta.map(({ name }) => name);
    const { series } = await get(`${this.path}/metrics?names=${names.join(',')}&by=step&points=1000`, this.signal);
    this.chart.setPoints(Object.fromEntries(names.map((name) => [name, refreshed(series[name])])));
  }

  close() {
    this.read?.cancel();
    this.chart?.close();
  }
}

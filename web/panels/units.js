// panels/units.js: what each unit of the code tells, as bars: the newest point of the series that a kind draws for every unit.

import { h, setText, show } from '../lib/dom.js';
import { loss } from '../lib/format.js';

const LOUD = 0.01; // shares of the largest below this are as good as nothing to look at

export class UnitsPanel {
  constructor(kind) {
    this.row = kind.series.find((row) => row.per_unit);
    this.counts = kind.series.filter((row) => row.unit === 'units');
    if (!this.row) return;
    this.title = h('h2', { id: 'units-title' }, `Units: ${this.row.name}`);
    this.said = h('p', { class: 'quiet' });
    this.bars = h('div', { class: 'unit-bars', role: 'img' });
    this.node = h('section', { class: 'card units', 'aria-labelledby': 'units-title', hidden: true }, this.title, this.said, this.bars,
      h('details', {}, h('summary', {}, 'What these bars say'), h('p', {}, this.row.help), h('code', { class: 'formula' }, this.row.formula),
        this.counts.map((row) => h('p', {}, `${row.name}: ${row.help}`))));
  }

  /** metrics: the newest value of each series, by name. */
  set(metrics) {
    if (!this.row) return;
    const values = [];
    for (let i = 0; Number.isFinite(metrics?.[`${this.row.name}_${i}`]); i++) values.push(metrics[`${this.row.name}_${i}`]);
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
}

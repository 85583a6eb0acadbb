// panels/legend.js: the classes of a map with their colours; a press hides one or shows it again, with Alt (or twice) all others go.

import { h, setText } from '../lib/dom.js';
import { count } from '../lib/format.js';

const COLOURS = 10;

export class Legend {
  /** onChange(hidden: Set of class numbers). */
  constructor(onChange) {
    Object.assign(this, { onChange, hidden: new Set(), rows: [] });
    this.all = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.set(new Set()) }, 'All');
    this.list = h('div', { class: 'legend-list', role: 'group', 'aria-label': 'Classes shown' });
    this.node = h('div', { class: 'legend' }, this.list, this.all);
  }

  setClasses(names, labels) {
    const counts = new Array(names.length).fill(0);
    for (const label of labels ?? []) counts[label] += 1;
    this.rows = names.map((name, k) => this.row(name, k, counts[k]));
    this.list.replaceChildren(...this.rows);
    this.set(new Set());
  }

  row(name, k, n) {
    const only = () => this.set(new Set(this.rows.map((_, i) => i).filter((i) => i !== k)));
    return h('button', { type: 'button', class: 'legend-row', title: `${name}: ${count(n)} points. Alt and click, or twice: only these`,
      onclick: (event) => (event.altKey ? only() : this.toggle(k)), ondblclick: only,
      onkeydown: (event) => { if (event.altKey && event.key === 'Enter') { event.preventDefault(); only(); } } },
    h('span', { class: `dot c${(k % COLOURS) + 1}`, 'aria-hidden': 'true' }), h('span', {}, name));
  }

  toggle(k) {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(k)) hidden.add(k);
    this.set(hidden);
  }

  set(hidden) {
    this.hidden = hidden;
    this.rows.forEach((row, k) => row.setAttribute('aria-pressed', String(!hidden.has(k))));
    this.all.hidden = hidden.size === 0;
    setText(this.all, 'All classes');
    this.onChange(hidden);
  }
}

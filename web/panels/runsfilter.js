// panels/runsfilter.js: which of the runs are shown: words, chips of status and kind, grouping; on a phone, the order too.

import { h, newId, setText, show } from '../lib/dom.js';
import { COLUMNS, counts, phaseOf, PHASES } from '../lib/table.js';

const TYPING_MS = 120;

/** Buttons that are pressed or not, one a value, each with how many there are. */
class Chips {
  constructor(label, chosen, onchange) {
    Object.assign(this, { chosen, onchange, chips: new Map() });
    this.node = h('div', { class: 'chips', role: 'group', 'aria-label': label });
  }

  /** tally: a Map value → count. One that is chosen stays, though there is none of it. */
  set(tally, alone) {
    const all = new Map([...this.chosen].map((value) => [value, 0]));
    for (const [value, count] of tally) all.set(value, count);
    for (const value of [...tally.keys()].reverse()) if (!this.chips.has(value)) this.add(value);
    for (const value of all.keys()) if (!this.chips.has(value)) this.add(value);
    for (const [value, { node, number }] of this.chips) {
      show(node, all.has(value) && (!alone || this.chosen.has(value)));
      node.setAttribute('aria-pressed', String(this.chosen.has(value)));
      setText(number, String(all.get(value) ?? 0));
    }
    show(this.node, [...this.chips.values()].some(({ node }) => !node.hidden));
    const order = [...tally.keys(), ...[...this.chips.keys()].filter((value) => !tally.has(value))];
    order.forEach((value, i) => {
      const { node } = this.chips.get(value);
      if (this.node.children[i] !== node) this.node.insertBefore(node, this.node.children[i] ?? null);
    });
  }

  add(value) {
    const number = h('span', { class: 'quiet num' });
    const toggle = () => {
      if (!this.chosen.delete(value)) this.chosen.add(value);
      this.onchange();
    };
    const node = h('button', { type: 'button', class: 'chip', 'aria-pressed': 'false', onclick: toggle }, value, ' ', number);
    this.chips.set(value, { number, node });
  }
}

export class RunsFilter {
  /** shown: {text, statuses, kinds, sort, down, group}, which it changes. */
  constructor(shown, onchange) {
    this.shown = shown;
    this.onchange = onchange;
    this.text = h('input', { type: 'search', placeholder: 'Filter', title: 'words, or a parameter: beta=2  (/)',
      'aria-label': 'Filter runs by name, kind, or parameter=value', autocomplete: 'off', spellcheck: 'false',
      oninput: () => this.onText() });
    this.text.value = shown.text;
    this.text.addEventListener('keydown', (event) => event.key === 'Escape' && this.leave(event));
    this.statuses = new Chips('Status', shown.statuses, onchange);
    this.kinds = new Chips('Kind', shown.kinds, onchange);
    this.grouped = h('input', { type: 'checkbox', onchange: () => { shown.group = this.grouped.checked ? 'kind' : ''; onchange(); } });
    this.grouped.checked = shown.group === 'kind';
    this.node = h('div', { class: 'runs-filter' }, this.text, this.statuses.node, this.kinds.node,
      h('label', { class: 'grouping' }, this.grouped, 'group by kind'), this.order());
  }

  order() {
    const id = newId('sort');
    const ways = Object.entries(COLUMNS).flatMap(([name, { text }]) => [[name, `${text} ▲`], [`-${name}`, `${text} ▼`]]);
    this.sort = h('select', { id, onchange: () => this.onSort() },
      [['', 'newest first'], ...ways].map(([value, text]) => h('option', { value }, text)));
    return h('label', { class: 'phone-sort', for: id }, 'order', this.sort);
  }

  onText() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      this.shown.text = this.text.value;
      this.onchange();
    }, TYPING_MS);
  }

  onSort() {
    const { value } = this.sort;
    Object.assign(this.shown, { sort: value.replace(/^-/, ''), down: value.startsWith('-') });
    this.onchange();
  }

  // First what is typed goes, then the focus.
  leave(event) {
    event.preventDefault();
    if (!this.text.value) this.text.blur();
    this.text.value = '';
    this.onText();
  }

  clear() {
    this.text.value = '';
    this.shown.text = '';
    this.shown.statuses.clear();
    this.shown.kinds.clear();
    this.onchange();
  }

  set(jobs) {
    this.statuses.set(counts(jobs, phaseOf, PHASES));
    const kinds = counts(jobs, (job) => job.kind);
    this.kinds.set(kinds, kinds.size < 2);
    this.sort.value = `${this.shown.down ? '-' : ''}${this.shown.sort}`;
  }
}

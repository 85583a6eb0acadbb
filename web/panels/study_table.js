// panels/study_table.js: all trials as a table: sorted by any column, filtered by state and by what the brushes leave.

import { download, url } from '../lib/api.js';
import { complain, h, setText, show } from '../lib/dom.js';
import { duration, loss } from '../lib/format.js';
import { isNumber, reasons, sorted, states } from '../lib/trials.js';
import { paramText, trialName } from './study_words.js';

const PAGE = 100;

export class TrialsPanel {
  constructor(path, { onMark, onPick }) {
    Object.assign(this, { path, onMark, onPick, state: 'all', sort: { by: 'value', down: false }, shown: PAGE, kept: null,
      rows: new Map(), plots: [] });
    this.chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Trials by state' });
    this.headRow = h('tr');
    this.body = h('tbody');
    this.more = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => { this.shown += PAGE; this.list(); } },
      'More trials');
    this.why = h('details', { class: 'reasons', hidden: true });
    const csv = h('a', { href: url(`${path}/trials.csv`), download: 'trials.csv', onclick: (event) => {
      event.preventDefault();
      download(`${path}/trials.csv`, 'trials.csv').catch(complain);
    } }, 'trials.csv');
    this.node = h('section', { class: 'card trials-card', 'aria-labelledby': 'trials-title' },
      h('div', { class: 'head' }, h('h2', { id: 'trials-title' }, 'Trials'), this.chips, csv), this.why,
      h('div', { class: 'wide-table', tabindex: '0', role: 'region', 'aria-label': 'Trials' },
        h('table', { class: 'trials' }, h('thead', {}, this.headRow), this.body)), this.more);
  }

  set(study) {
    this.study = study;
    this.setChips();
    this.setWhy();
    this.setHead();
    this.list();
  }

  setChips() {
    const counts = [['all', this.study.trials.length], ...states(this.study.trials)];
    const text = JSON.stringify([counts, this.state]);
    if (text === this.chipsText) return;
    this.chipsText = text;
    const focused = this.chips.contains(document.activeElement) && document.activeElement.dataset.state;
    this.chips.replaceChildren(...counts.map(([state, n]) => h('button',
      { type: 'button', class: 'chip', 'data-state': state, 'aria-pressed': String(state === this.state),
      onclick: () => this.choose(state) }, `${state} ${n}`)));
    if (focused) this.chips.querySelector(`[data-state="${focused}"]`)?.focus();
  }

  choose(state) {
    this.state = state;
    this.setChips();
    this.list();
  }

  setWhy() {
    const groups = reasons(this.study.trials);
    show(this.why, groups.length > 0);
    const text = JSON.stringify(groups.map(([reason, trials]) => [reason, trials.length]));
    if (text === this.whyText) return;
    this.whyText = text;
    const total = groups.reduce((sum, [, trials]) => sum + trials.length, 0);
    this.why.replaceChildren(h('summary', {}, `Why ${total} ${total === 1 ? 'trial has' : 'trials have'} no value`),
      h('ul', {}, groups.map(([reason, trials]) => h('li', {}, h('span', { class: 'quiet' }, `${trials.length} × `), reason))));
  }

  // --- columns ---------------------------------------------------------------------------------------------------------

  get columns() {
    return [['number', 'Trial'], ['state', 'State'], ['value', this.study.metric], ...this.study.names.map((name) => [name, name]),
      ['epochs', 'Epochs'], ['train_s', 'Time']];
  }

  setHead() {
    const text = JSON.stringify([this.columns, this.sort]);
    if (text === this.headText) return;
    this.headText = text;
    const focused = this.headRow.contains(document.activeElement) && document.activeElement.dataset.by;
    this.headRow.replaceChildren(...this.columns.map(([by, label]) => h('th', { scope: 'col', class: by === 'state' ? '' : 'num',
      'aria-sort': this.sort.by === by ? (this.sort.down ? 'descending' : 'ascending') : null },
    h('button', { type: 'button', class: 'sort', 'data-by': by, onclick: () => this.sortBy(by) }, label,
      h('span', { 'aria-hidden': 'true' }, this.sort.by === by ? (this.sort.down ? ' ↓' : ' ↑') : '')))));
    if (focused) this.headRow.querySelector(`[data-by="${CSS.escape(focused)}"]`)?.focus();
  }

  sortBy(by) {
    this.sort = { by, down: this.sort.by === by && !this.sort.down };
    this.setHead();
    this.list();
  }

  // --- rows ------------------------------------------------------------------------------------------------------------

  get wanted() {
    const { trials, direction } = this.study;
    const sort = this.sort.by === 'value' && direction === 'maximize' ? { by: 'value', down: !this.sort.down } : this.sort;
    return sorted(trials.filter((trial) => (this.state === 'all' || trial.state === this.state)
      && (!this.kept || this.kept.has(trial.number))), sort);
  }

  /** Rows are made once and moved: what is focused or selected in one stays so. */
  list() {
    const { wanted } = this;
    const rows = wanted.slice(0, this.shown).map((trial) => this.row(trial));
    const there = [...this.body.children];
    if (rows.length !== there.length || rows.some((row, i) => row !== there[i])) this.body.replaceChildren(...rows);
    show(this.more, wanted.length > this.shown);
    setText(this.more, `${wanted.length - this.shown} more trials`);
  }

  row(trial) {
    const text = JSON.stringify([trial, this.study.names, this.study.best === trial.number]);
    const known = this.rows.get(trial.number);
    if (known?.text === text) return known.node;
    const node = h('tr', { class: trial.state, title: trial.reason ?? '', onpointerenter: () => this.onMark(trial.number),
      onpointerleave: () => this.onMark(null) },
      h('th', { scope: 'row', class: 'num' }, trial.job ? h('a', { href: `#/runs/${trial.job}`, 'aria-label': trialName(trial) },
        String(trial.number)) : String(trial.number),
        this.study.best === trial.number && h('span', { class: 'star', title: 'the best' }, ' ★')),
      h('td', {}, h('span', { class: `state ${trial.state}` }, trial.state)),
      h('td', { class: 'num strong' }, isNumber(trial.value) ? loss(trial.value) : '–'),
      this.study.names.map((name) => h('td', { class: 'num' }, paramText(trial.params[name]))),
      h('td', { class: 'num' }, String(trial.epochs)), h('td', { class: 'num' },
        duration(trial.train_s > 0 ? 1000 * trial.train_s : null)));
    if (known) known.node.replaceWith(node);
    this.rows.set(trial.number, { text, node });
    return node;
  }

  mark(number) {
    this.rows.get(this.marked)?.node.classList.remove('on');
    this.rows.get(number)?.node.classList.add('on');
    this.marked = number;
  }

  keep(kept) {
    this.kept = kept;
    if (this.study) this.list();
  }

  close() {}
}

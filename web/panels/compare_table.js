// panels/compare_table.js: what runs are and what came of them, a column a run: only where they differ, or all of it.

import { differences, outcomes, tableCsv } from '../lib/compare.js';
import { h, save, setText, show } from '../lib/dom.js';
import { duration, measured, param } from '../lib/format.js';
import { jobName, runHref } from './runrow.js';

const outcome = (metric, value) => (value === null ? '–' : metric === 'time' ? duration(value * 1000) : measured(metric, value));

export class CompareTable {
  /** swatch(id) → an element in the colour of the run; onmark(id): a column is looked at. */
  constructor({ swatch, onmark }) {
    this.swatch = swatch;
    this.all = h('input', { type: 'checkbox', onchange: () => this.draw() });
    this.none = h('p', { class: 'quiet', hidden: true }, 'Their parameters are all the same.');
    this.table = h('table', { class: 'compare-table', 'aria-label': 'Results and parameters of the runs' });
    this.table.addEventListener('pointerover', (event) => onmark(event.target.closest('[data-id]')?.dataset.id));
    this.table.addEventListener('pointerleave', () => onmark(undefined));
    this.node = h('section', { class: 'card', 'aria-labelledby': 'compare-params' },
      h('div', { class: 'head' }, h('h2', { id: 'compare-params' }, 'Results and parameters'), h('div', { class: 'controls' },
        h('label', {}, this.all, 'also what is the same'),
        h('button', { type: 'button', class: 'small', onclick: () => this.save() }, 'CSV'))),
      h('div', { class: 'wide-table', tabindex: '0', role: 'region', 'aria-label': 'Results and parameters' }, this.table), this.none);
  }

  set(jobs) {
    const text = JSON.stringify(jobs.map(({ id, name, params, best, test, train_s: time }) => [id, name, params, best, test, time]));
    if (text === this.shown) return;
    this.shown = text;
    this.jobs = jobs;
    this.draw();
  }

  get rows() {
    const rows = differences(this.jobs);
    return this.all.checked ? rows : rows.filter(({ differs }) => differs);
  }

  draw() {
    const { jobs, rows } = this;
    const head = h('tr', {}, h('td', {}), jobs.map((job) => h('th', { scope: 'col', class: 'num', 'data-id': job.id },
      this.swatch(job.id), h('a', { href: runHref(job) }, jobName(job)))));
    const results = outcomes(jobs).filter(({ values }) => values.some((value) => value !== null));
    const row = (name, cells) => h('tr', {}, h('th', { scope: 'row' }, name), cells);
    this.table.replaceChildren(h('thead', {}, head),
      h('tbody', {}, results.map(({ name, metric, values, best }) => row(name, values.map((value, i) => h('td',
        { class: best.includes(i) ? 'num winner' : 'num', 'data-id': jobs[i].id, title: best.includes(i) ? 'the best of them' : null },
        best.includes(i) && h('span', { class: 'winner-star', role: 'img', 'aria-label': 'best' }, '★ '), outcome(metric, value)))))),
      h('tbody', {}, rows.map(({ name, values, differs }) => row(name, values.map((value, i) => h('td',
        { class: differs ? 'num differs' : 'num', 'data-id': jobs[i].id }, param(value)))))));
    show(this.none, !rows.length);
    setText(this.none, jobs.length > 1 ? 'Their parameters are all the same.' : '');
  }

  save() {
    const rows = [...outcomes(this.jobs), ...this.rows];
    save(new Blob([tableCsv(this.jobs.map(jobName), rows)], { type: 'text/csv' }), 'compared-runs.csv');
  }
}

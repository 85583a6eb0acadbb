// panels/classes.js: which classes of the test images are taken for which, once the run has succeeded.

import { get } from '../lib/api.js';
import { h, setText, show } from '../lib/dom.js';
import { count, percent } from '../lib/format.js';

const FIGURES = ['precision', 'recall', 'f1'];
const MOST = 0.5; // of a row: what most images of a class are taken for stands out

const share = (value) => (value === null ? '–' : value.toFixed(3));

/** An element with a share of 0..1 that style/run.css makes a colour or a length of. */
function shaded(node, value) {
  node.style.setProperty('--share', String(value ?? 0));
  return node;
}

export class ClassesPanel {
  constructor(path, signal) {
    this.path = path;
    this.signal = signal;
    this.waiting = h('p', { class: 'quiet' }, 'The confusion matrix is of the test images, which are looked at once, at the end.');
    this.body = h('div', { hidden: true });
    this.node = h('section', { class: 'card classes-panel', 'aria-labelledby': 'classes-title' },
      h('h2', { id: 'classes-title' }, 'Classes'), this.waiting, this.body);
  }

  sayNone() {
    setText(this.waiting, 'This run did not succeed, so the test images were not looked at.');
  }

  async load() {
    const confusion = await get(`${this.path}/confusion`, this.signal);
    this.body.replaceChildren(
      h('p', {}, h('strong', {}, `${(100 * confusion.accuracy).toFixed(2)} %`), ' of the test images are recognised. ',
        h('span', { class: 'quiet' }, 'A row is a true class; its colours are shares of that row.')),
      h('div', { class: 'confusion-scroll', tabindex: '0', role: 'region', 'aria-label': 'Confusion matrix' }, this.matrix(confusion)),
      h('h3', {}, 'Each class'), this.figures(confusion));
    show(this.waiting, false);
    show(this.body, true);
  }

  matrix({ labels, matrix }) {
    return h('table', { class: 'confusion' }, h('caption', { class: 'offscreen' }, 'Rows: true classes. Columns: predicted classes.'),
      h('thead', {}, h('tr', {}, h('td', {}), labels.map((label) => h('th', { scope: 'col' }, h('span', {}, label))))),
      h('tbody', {}, matrix.map((row, i) => this.row(labels, row, i))));
  }

  row(labels, row, i) {
    const all = row.reduce((sum, n) => sum + n, 0);
    return h('tr', {}, h('th', { scope: 'row' }, labels[i]), row.map((n, k) => {
      const part = all ? n / all : 0;
      const title = `${count(n)} of ${count(all)} (${percent(part)}): ${labels[i]} taken for ${labels[k]}`;
      return shaded(h('td', { title, class: [n === 0 && 'none', part > MOST && 'strong'].filter(Boolean).join(' ') }, String(n)), part);
    }));
  }

  figures({ per_class: rows }) {
    return h('div', { class: 'scroll class-figures', tabindex: '0', role: 'region', 'aria-label': 'Figures of each class' }, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'class'), FIGURES.map((name) => h('th', { scope: 'col' }, name)),
        h('th', { scope: 'col', class: 'num' }, 'images'))),
      h('tbody', {}, rows.map((row) => h('tr', {}, h('th', { scope: 'row' }, row.label),
        FIGURES.map((name) => h('td', {}, shaded(h('span', { class: 'bar-share' }), row[name]), h('span', { class: 'num' }, share(row[name])))),
        h('td', { class: 'num' }, count(row.support)))))));
  }
}

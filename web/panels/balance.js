// panels/balance.js: how many images each class of a data set has, as bars; a class can be chosen.

import { h } from '../lib/dom.js';
import { count, percent } from '../lib/format.js';

/** In words, for those who do not see the bars: "10 classes, 6,000 images each". */
export function balanceWords(counts) {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `${counts.length} ${counts.length === 1 ? 'class' : 'classes'}, ${least === most ? `${count(most)} images each` : `${count(least)} to ${count(most)} images`}`;
}

/** The shares of the largest class, 0 … 1. */
export function heights(counts) {
  const most = Math.max(...counts, 1);
  return counts.map((n) => n / most);
}

function bar(cls, share) {
  const node = h('span', { class: cls, 'aria-hidden': 'true' });
  node.style.setProperty('--share', share.toFixed(4));
  return node;
}

/** Small, for a card: a column a class. */
export function smallBalance(set) {
  const counts = set.class_counts.train;
  const columns = heights(counts).map((share) => bar('balance-column', share));
  return h('div', { class: 'balance-small', role: 'img', 'aria-label': `Class balance: ${balanceWords(counts)}` }, columns);
}

/** A row a class with its images of each split; onChoose(number of the class). */
export function balanceTable(set, onChoose) {
  const { train, test } = set.class_counts;
  const shares = { train: heights(train), test: heights(test) };
  const cells = (split, i, counts) => h('td', {}, h('div', { class: 'bar-cell' }, bar(`class-bar ${split}`, shares[split][i]),
    h('span', { class: 'num' }, count(counts[i]))));
  const rows = set.classes.map((name, i) => h('tr', {},
    h('th', { scope: 'row' }, h('button', { type: 'button', class: 'link', onclick: () => onChoose(i) }, name)),
    cells('train', i, train), cells('test', i, test), h('td', { class: 'num quiet share' }, percent(train[i] / set.splits.train))));
  return h('div', { class: 'scroll balance', tabindex: '0', role: 'region', 'aria-label': 'Class balance' },
    h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Class'), h('th', { scope: 'col' }, 'To learn from'),
      h('th', { scope: 'col' }, 'To test with'), h('th', { scope: 'col', class: 'num share' }, 'Share'))), h('tbody', {}, rows)));
}

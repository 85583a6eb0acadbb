// panels/browser.js: the images of a data set, a page at a time: of a split, of one class; by mouse, touch and keys.
//
// Only the page shown is asked for. The classes of a split's images come when a class is chosen or an image pointed at.

import { get } from '../lib/api.js';
import { complain, h, setText, show } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { indicesOf, layout, moved, span } from '../lib/pager.js';
import { Picture } from '../lib/picture.js';

const SPLITS = { train: 'to learn from', test: 'to test with' };

export class ImageBrowser {
  /** place: {split, cls, page} to begin at; onPlace(place) when it changes. */
  constructor(set, { signal, place, onPlace }) {
    Object.assign(this, { set, signal, onPlace });
    this.place = { split: place.split in SPLITS ? place.split : 'train', cls: place.cls, page: place.page };
    this.labels = {};
    this.grid = layout(innerWidth);
    this.cell = null;
    this.node = h('section', { class: 'card images', 'aria-label': 'Images' }, h('h2', {}, 'Images'), this.bar(), this.frame());
    this.refresh();
  }

  get size() {
    return this.grid.cols * this.grid.rows;
  }

  // --- what it is made of ----------------------------------------------------------------------------------------------

  bar() {
    const option = (value, text) => h('option', { value }, text);
    this.split = h('select', { 'aria-label': 'Split', onchange: () => this.go({ split: this.split.value, page: 0 }) },
      Object.entries(SPLITS).map(([name, words]) => option(name, words)));
    this.cls = h('select', { 'aria-label': 'Class', onchange: () => this.go({ cls: this.cls.value === '' ? null : Number(this.cls.value), page: 0 }) },
      option('', 'all classes'), this.set.classes.map((name, i) => option(String(i), name)));
    this.before = h('button', { type: 'button', class: 'small', 'aria-label': 'Page before', onclick: () => this.turn(-1) }, '←');
    this.next = h('button', { type: 'button', class: 'small', 'aria-label': 'Next page', onclick: () => this.turn(1) }, '→');
    this.where = h('span', { class: 'num quiet', role: 'status' });
    return h('div', { class: 'controls' }, this.split, this.cls, h('span', { class: 'turn' }, this.before, this.where, this.next));
  }

  frame() {
    this.picture = new Picture('images', 'image-sheet');
    this.mark = h('span', { class: 'cell-mark', hidden: true, 'aria-hidden': 'true' });
    this.sheet = h('div', { class: 'sheet-frame', tabindex: '0', role: 'group', 'aria-label': 'Images: arrow keys go from one to the next',
      onpointermove: (event) => this.point(event), onpointerdown: (event) => this.point(event), onkeydown: (event) => this.onKey(event) },
      this.picture.node, this.mark);
    this.sheet.style.setProperty('--cols', this.grid.cols);
    this.told = h('p', { class: 'quiet told', role: 'status' }, 'Point at an image to see what it is.');
    this.empty = h('p', { class: 'quiet', hidden: true }, 'No image of this class here.');
    return [this.sheet, this.empty, this.told];
  }

  // --- where ---------------------------------------------------------------------------------------------------------------

  go(change) {
    Object.assign(this.place, change);
    this.cell = null;
    this.refresh();
  }

  turn(by) {
    const { page } = span(this.place.page + by, this.size, this.total);
    if (page !== this.place.page) this.go({ page });
  }

  get total() {
    const { split, cls } = this.place;
    return cls === null ? this.set.splits[split] : this.set.class_counts[split][cls];
  }

  async labelsOf(split) {
    this.labels[split] ??= get(`v1/datasets/${encodeURIComponent(this.set.name)}/labels?split=${split}`, this.signal).then(({ label }) => label);
    return this.labels[split];
  }

  /** The numbers of the images on this page. */
  async indices() {
    const { split, cls, page } = this.place;
    const { first, last } = span(page, this.size, this.total);
    if (cls === null) return Array.from({ length: last - first }, (_, i) => first + i);
    return indicesOf(await this.labelsOf(split), cls).slice(first, last);
  }

  async refresh() {
    const { split, cls } = this.place;
    const { page, pages, first, last } = span(this.place.page, this.size, this.total);
    this.place.page = page;
    this.split.value = split;
    this.cls.value = cls === null ? '' : String(cls);
    this.before.disabled = page === 0;
    this.next.disabled = page === pages - 1;
    setText(this.where, this.total ? `${count(first + 1)} – ${count(last)} of ${count(this.total)}` : 'none');
    show(this.mark, false);
    show(this.sheet, this.total > 0);
    show(this.empty, this.total === 0);
    this.onPlace(this.place);
    if (this.total) await this.draw().catch(complain);
  }

  async draw() {
    const { split, cls } = this.place;
    const shown = await this.indices();
    const which = cls === null ? `offset=${shown[0]}&count=${shown.length}` : `indices=${shown.join(',')}`;
    const words = `${shown.length} images of ${this.set.name}, ${SPLITS[split]}${cls === null ? '' : `, ${this.set.classes[cls]}`}`;
    await this.picture.show(`v1/datasets/${encodeURIComponent(this.set.name)}/images.png?split=${split}&${which}&cols=${this.grid.cols}`, words, this.signal);
    this.shown = shown;
    this.sheet.style.setProperty('--rows', Math.ceil(shown.length / this.grid.cols));
  }

  // --- one image --------------------------------------------------------------------------------------------------------------

  point(event) {
    const box = this.picture.node.getBoundingClientRect();
    const rows = Math.ceil((this.shown?.length ?? 0) / this.grid.cols);
    const col = Math.floor(((event.clientX - box.left) / box.width) * this.grid.cols);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const cell = row * this.grid.cols + col;
    if (col >= 0 && col < this.grid.cols && row >= 0 && cell < (this.shown?.length ?? 0)) this.select(cell);
  }

  onKey(event) {
    const { key } = event;
    if (key === 'PageDown' || key === 'PageUp') this.turn(key === 'PageDown' ? 1 : -1);
    else if (!key.startsWith('Arrow')) return;
    else this.step(key);
    event.preventDefault();
  }

  step(key) {
    if (this.cell === null) return this.select(0);
    const to = moved(this.cell, key, this.grid.cols, this.shown.length);
    if (to === null) this.turn(key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1);
    else this.select(to);
  }

  async select(cell) {
    if (cell === this.cell || !this.shown) return;
    this.cell = cell;
    this.mark.style.setProperty('--at-col', cell % this.grid.cols);
    this.mark.style.setProperty('--at-row', Math.floor(cell / this.grid.cols));
    show(this.mark, true);
    const index = this.shown[cell];
    const labels = await this.labelsOf(this.place.split).catch(() => null);
    if (labels && this.cell === cell) setText(this.told, `${this.place.split} ${count(index)}: ${this.set.classes[labels[index]]}`);
  }
}

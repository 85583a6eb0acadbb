// panel_preview.js: the same test images and the same random codes, epoch by epoch.

import { get } from './api.js';
import { h, setText, show } from './dom.js';
import { Picture } from './picture.js';

const KINDS = [
  ['reconstructions', 'Test images above, what the net makes of them beneath'],
  ['samples', 'Decoded from random codes, the same ones each time'],
];

export class PreviewPanel {
  constructor(path, signal) {
    this.path = path;
    this.signal = signal;
    this.epochs = []; // ascending
    this.there = new Map(); // epoch → the kinds of its pictures: they are written one after the other
    this.follow = true;
    this.slider = h('input', { type: 'range', min: '0', max: '0', value: '0', 'aria-label': 'Epoch of the previews',
      oninput: () => this.onSlide() });
    this.label = h('output', { class: 'num' }, '–');
    this.newest = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.followNewest() }, 'Newest');
    this.pictures = KINDS.map(([kind, caption]) => ({ kind, picture: new Picture(`${kind}: none yet`, 'grid'), caption }));
    this.waiting = h('p', { class: 'quiet' }, 'The first pictures come before the first step.');
    this.body = h('div', { hidden: true }, h('div', { class: 'slider-row' }, h('span', {}, 'Epoch'), this.slider, this.label, this.newest),
      h('div', { class: 'previews' }, this.pictures.map(({ kind, picture, caption }) => h('figure', {},
        h('figcaption', {}, h('strong', {}, kind), h('span', { class: 'quiet' }, ` ${caption}`)), picture.node))));
    this.node = h('section', { class: 'card previews-panel', 'aria-labelledby': 'previews-title' },
      h('h2', { id: 'previews-title' }, 'Previews'), this.waiting, this.body);
  }

  sayNone() {
    setText(this.waiting, 'This run ended before its first pictures.');
  }

  async read() {
    const { data } = await get(`${this.path}/previews`, this.signal);
    this.addAll(data.map(({ epoch, kind }) => [epoch, kind]));
  }

  /** A preview event of the stream. */
  add({ epoch, urls }) {
    this.addAll(Object.keys(urls).map((kind) => [epoch, kind]));
  }

  addAll(pictures) {
    const shown = this.epochs[Number(this.slider.value)];
    const before = this.there.get(shown)?.size;
    for (const [epoch, kind] of pictures) this.there.set(epoch, (this.there.get(epoch) ?? new Set()).add(kind));
    if (this.there.size > this.epochs.length) this.setEpochs(shown);
    else if (this.there.get(shown)?.size !== before) this.draw();
  }

  setEpochs(held) {
    this.epochs = [...this.there.keys()].sort((a, b) => a - b);
    show(this.waiting, false);
    show(this.body, true);
    this.slider.max = String(this.epochs.length - 1);
    this.slider.value = String(this.follow ? this.epochs.length - 1 : this.epochs.indexOf(held));
    if (this.follow) this.draw();
    else show(this.newest, true);
  }

  // Taking the slider stops the following; taking it back to the end starts it again.
  onSlide() {
    this.follow = Number(this.slider.value) === this.epochs.length - 1;
    this.draw();
  }

  followNewest() {
    this.follow = true;
    this.slider.value = this.slider.max;
    this.draw();
  }

  draw() {
    const epoch = this.epochs[Number(this.slider.value)];
    setText(this.label, String(epoch));
    this.slider.setAttribute('aria-valuetext', `epoch ${epoch}`);
    show(this.newest, !this.follow);
    for (const { kind, picture } of this.pictures) {
      if (!this.there.get(epoch).has(kind)) continue;
      picture.show(`${this.path}/previews/${epoch}/${kind}.png`, `${kind} at epoch ${epoch}`, this.signal).catch(() => {});
    }
  }
}

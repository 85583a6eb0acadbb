// panels/preview.js: the same test images and the same random codes, epoch by epoch, or step by step within them.

import { get } from '../lib/api.js';
import { h, setText, show } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';

const KINDS = [
  ['reconstructions', 'Test images above, what the net makes of them beneath'],
  ['samples', 'Decoded from random codes, the same ones each time'],
  ['map', 'Where each image lies, coloured by its class', 'map'],
];

export class PreviewPanel {
  constructor(path, signal) {
    this.path = path;
    this.signal = signal;
    this.moments = []; // as taken: {epoch, step, inside, paths: kind → path; they are written one after the other}
    this.there = new Map(); // the same by epoch and step
    this.follow = true;
    this.slider = h('input', { type: 'range', min: '0', max: '0', value: '0', 'aria-label': 'Epoch of the previews',
      oninput: () => this.onSlide() });
    this.label = h('output', { class: 'num' }, '–');
    this.newest = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.followNewest() }, 'Newest');
    this.pictures = KINDS.map((row) => this.figure(...row));
    this.waiting = h('p', { class: 'quiet' }, 'The first pictures come before the first step.');
    this.body = h('div', { hidden: true }, h('div', { class: 'slider-row' }, h('span', {}, 'Epoch'), this.slider, this.label, this.newest),
      h('div', { class: 'previews' }, this.pictures.map(({ node }) => node)));
    this.node = h('section', { class: 'card previews-panel', 'aria-labelledby': 'previews-title' },
      h('h2', { id: 'previews-title' }, 'Previews'), this.waiting, this.body);
  }

  // Hidden until there is one: not every kind of model has both.
  figure(kind, caption, cls = 'grid') {
    const picture = new Picture(`${kind}: none yet`, cls);
    return { kind, picture, node: h('figure', { hidden: true, class: cls },
      h('figcaption', {}, h('strong', {}, kind), h('span', { class: 'quiet' }, ` ${caption}`)), picture.node) };
  }

  sayNone() {
    setText(this.waiting, 'This run ended before its first pictures.');
  }

  async read() {
    let after = '';
    for (let more = true; more;) {
      const page = await get(`${this.path}/previews${after}`, this.signal);
      this.addAll(page.data);
      more = page.has_more;
      after = `?after=${encodeURIComponent(page.last_id)}`;
    }
  }

  /** A preview event of the stream. */
  add({ epoch, step, urls }) {
    this.addAll(Object.entries(urls).map(([kind, address]) => ({ epoch, step, kind, url: address })));
  }

  addAll(pictures) {
    const shown = this.moments[Number(this.slider.value)];
    const before = shown && Object.keys(shown.paths).length;
    for (const picture of pictures) this.addOne(picture);
    if (this.there.size > this.moments.length) this.setMoments(shown);
    else if (shown && Object.keys(shown.paths).length !== before) this.draw();
  }

  // An address that names a step is of one on the way to the epoch's end.
  addOne({ epoch, step, kind, url }) {
    const inside = url.includes('?step=');
    const key = inside ? `${epoch} ${step}` : String(epoch);
    if (!this.there.has(key)) this.there.set(key, { epoch, step, inside, paths: {} });
    this.there.get(key).paths[kind] = `${this.path}/previews/${epoch}/${kind}.png${inside ? `?step=${step}` : ''}`;
  }

  setMoments(held) {
    this.moments = [...this.there.values()].sort((a, b) => a.epoch - b.epoch || b.inside - a.inside || a.step - b.step);
    show(this.waiting, false);
    show(this.body, true);
    this.slider.max = String(this.moments.length - 1);
    this.slider.value = String(this.follow ? this.moments.length - 1 : this.moments.indexOf(held));
    if (this.follow) this.draw();
    else show(this.newest, true);
  }

  // Taking the slider stops the following; taking it back to the end starts it again.
  onSlide() {
    this.follow = Number(this.slider.value) === this.moments.length - 1;
    this.draw();
  }

  followNewest() {
    this.follow = true;
    this.slider.value = this.slider.max;
    this.draw();
  }

  draw() {
    const { epoch, step, inside, paths } = this.moments[Number(this.slider.value)];
    const when = inside ? `epoch ${epoch}, step ${step}` : `epoch ${epoch}`;
    setText(this.label, inside ? `${epoch}, step ${step}` : String(epoch));
    this.slider.setAttribute('aria-valuetext', when);
    show(this.newest, !this.follow);
    for (const { kind, picture, node } of this.pictures) {
      if (!paths[kind]) continue;
      show(node, true);
      picture.show(paths[kind], `${kind} at ${when}`, this.signal).catch(() => {});
    }
  }
}

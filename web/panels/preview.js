// panels/preview.js: the same test images and the same random codes, epoch by epoch, or step by step within them: live, by hand, or played.

import { get } from '../lib/api.js';
import { h, newId, setText, show } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';

const KINDS = [
  ['reconstructions', 'Test images above, what the net makes of them beneath'],
  ['samples', 'Decoded from random codes, the same ones each time'],
  ['map', 'Where each image lies, coloured by its class', 'map'],
];
const SPEEDS = [2, 4, 10]; // pictures a second
const AHEAD = 3; // of those that are played

export class PreviewPanel {
  constructor(path, signal) {
    this.path = path;
    this.signal = signal;
    this.moments = []; // as taken: {epoch, step, inside, paths: kind → path; they are written one after the other}
    this.there = new Map(); // the same by epoch and step
    this.follow = true;
    this.pictures = KINDS.map((row) => this.figure(...row));
    this.waiting = h('p', { class: 'quiet' }, 'The first pictures come before the first step.');
    this.body = h('div', { hidden: true }, this.controls(), h('div', { class: 'previews' }, this.pictures.map(({ node }) => node)));
    const id = newId('previews');
    this.node = h('section', { class: 'card previews-panel', 'aria-labelledby': id }, h('h2', { id }, 'Previews'), this.waiting, this.body);
    signal.addEventListener('abort', () => this.stop());
  }

  controls() {
    this.slider = h('input', { type: 'range', min: '0', max: '0', value: '0', 'aria-label': 'Epoch of the previews', oninput: () => this.onSlide() });
    this.label = h('output', { class: 'num' }, '–');
    this.newest = h('button', { type: 'button', class: 'small', title: 'Go to the newest and stay there', onclick: () => this.followNewest() }, 'Newest');
    this.player = h('button', { type: 'button', class: 'small play', onclick: () => this.toggle() });
    this.speed = h('select', { 'aria-label': 'Pictures a second' }, SPEEDS.map((n) => h('option', { value: n, selected: n === 4 }, `${n}/s`)));
    this.sayPlaying();
    return h('div', { class: 'player' }, this.player, this.speed, h('span', {}, 'Epoch'), this.slider, this.label, this.newest);
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
    const shown = this.moments[this.at];
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

  get at() {
    return Number(this.slider.value);
  }

  get last() {
    return this.moments.length - 1;
  }

  setMoments(held) {
    this.moments = [...this.there.values()].sort((a, b) => a.epoch - b.epoch || b.inside - a.inside || a.step - b.step);
    show(this.waiting, false);
    show(this.body, true);
    this.slider.max = String(this.last);
    this.slider.value = String(this.follow ? this.last : this.moments.indexOf(held));
    if (this.follow) this.draw();
    else this.sayFollowing();
  }

  // Taking the slider stops the following; taking it back to the end starts it again.
  onSlide() {
    this.stop();
    this.follow = this.at === this.last;
    this.draw();
  }

  followNewest() {
    this.stop();
    this.follow = true;
    this.slider.value = this.slider.max;
    this.draw();
    this.slider.focus();
  }

  sayFollowing() {
    show(this.newest, !this.follow);
  }

  // --- played ----------------------------------------------------------------------------------------------------------

  sayPlaying() {
    setText(this.player, this.playing ? '‖' : '▶︎');
    this.player.setAttribute('aria-label', this.playing ? 'Pause the previews' : 'Play the previews');
    this.player.title = this.playing ? 'Pause' : 'Play';
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  stop() {
    this.playing?.abort();
    this.playing = null;
    this.sayPlaying();
  }

  /** From where one is, or from the beginning; no faster than the pictures come. */
  async play() {
    const playing = new AbortController();
    this.playing = playing;
    this.sayPlaying();
    if (this.at === this.last) this.slider.value = '0';
    this.follow = false;
    for (;;) {
      const wait = new Promise((resolve) => { setTimeout(resolve, 1000 / Number(this.speed.value)); });
      await Promise.all([wait, this.draw()]);
      if (playing.signal.aborted) return;
      if (this.at === this.last) break;
      this.slider.value = String(this.at + 1);
    }
    this.follow = true;
    this.stop();
    this.sayFollowing();
  }

  preload() {
    for (let i = this.at + 1; i <= Math.min(this.last, this.at + AHEAD); i++) {
      for (const { kind, picture } of this.pictures) if (this.moments[i].paths[kind]) picture.fetch(this.moments[i].paths[kind], this.signal).catch(() => {});
    }
  }

  /** Resolves when the pictures are there. */
  draw() {
    const { epoch, step, inside, paths } = this.moments[this.at];
    const when = inside ? `epoch ${epoch}, step ${step}` : `epoch ${epoch}`;
    setText(this.label, inside ? `${epoch}, step ${step}` : String(epoch));
    this.slider.setAttribute('aria-valuetext', when);
    this.sayFollowing();
    if (this.playing) this.preload();
    return Promise.all(this.pictures.filter(({ kind }) => paths[kind]).map(({ kind, picture, node }) => {
      show(node, true);
      return picture.show(paths[kind], `${kind} at ${when}`, this.signal).catch(() => {});
    }));
  }
}

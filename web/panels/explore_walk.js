// panels/explore_walk.js: two codes kept as A and B, and the way between them: a strip of images, a slider along it, play.

import { query } from '../lib/api.js';
import { lerp, slerp } from '../lib/codes.js';
import { h, setText, show } from '../lib/dom.js';
import { drawImage, drawTiles } from '../lib/pixels.js';

const STEPS = [5, 8, 10, 16, 24];
const EMPTY = 'Keep two codes, A and B, to see what lies between them: a point, an image, whatever the sliders say.';
const PLAY_MS = 4000; // from A to B

export class WalkSlots {
  /** current() → {z, words}; onWalk(z) along the way; onSlots([{letter, z}]). */
  constructor(signal, { current, onWalk, onSlots }) {
    Object.assign(this, { signal, current, onWalk, onSlots, slots: { A: null, B: null }, turn: 0, playing: null });
    this.faces = Object.fromEntries(['A', 'B'].map((letter) => [letter, this.face(letter)]));
    this.mode = h('select', { 'aria-label': 'Way', onchange: () => this.draw() },
      [['', 'auto'], ['lerp', 'straight (lerp)'], ['slerp', 'around the sphere (slerp)']]
        .map(([value, text]) => h('option', { value }, text)));
    this.steps = h('select', { 'aria-label': 'Images', onchange: () => this.draw() },
      STEPS.map((n) => h('option', { value: n, selected: n === 10 }, `${n} images`)));
    this.slider = h('input', { type: 'range', min: '0', max: '1', step: '0.005', value: '0', 'aria-label': 'Place between A and B',
      oninput: () => { this.stop(); this.walk(); } });
    this.play = h('button', { type: 'button', class: 'small', 'aria-pressed': 'false',
      onclick: () => (this.playing ? this.stop() : this.start()) }, '▶ Walk');
    this.strip = h('canvas', { class: 'picture walk-strip', role: 'img', 'aria-label': 'The way: not yet', width: '1', height: '1',
      onclick: (event) => this.onStrip(event) });
    this.words = h('p', { class: 'hint', role: 'status' }, EMPTY);
    this.way = h('div', { class: 'walk-way', hidden: true }, this.strip, h('div', { class: 'explore-time' }, this.play, this.slider));
    this.node = h('section', { class: 'card explore-walk', 'aria-label': 'Walk' }, h('div', { class: 'head' }, h('h2', {}, 'From A to B'),
      h('div', { class: 'controls' }, this.mode, this.steps)), h('div', { class: 'walk-slots' },
        Object.values(this.faces).map(({ node }) => node)), this.words, this.way);
  }

  face(letter) {
    const canvas = h('canvas', { class: 'picture', width: '1', height: '1', 'aria-hidden': 'true' });
    const words = h('span', { class: 'quiet' }, 'empty');
    const keep = h('button', { type: 'button', class: 'small', onclick: () => this.keep(letter) }, `Keep as ${letter}`);
    return { canvas, words, node: h('div', { class: 'walk-slot' }, canvas, h('span', { class: 'walk-letter' }, letter), words, keep) };
  }

  setModel(model) {
    this.model = model;
    setText(this.mode.options[0], `auto (${this.autoMode})`);
    const lost = Object.values(this.slots).some((slot) => slot && slot.z.length !== model.latent_dim);
    if (lost) this.slots = { A: null, B: null };
    this.draw();
  }

  get autoMode() {
    return this.model.auto_distribution === 'normal' ? 'slerp' : 'lerp';
  }

  keep(letter) {
    const { z, words } = this.current();
    this.slots[letter] = { letter, z: [...z], words };
    setText(this.faces[letter].words, words);
    this.onSlots(Object.values(this.slots).filter(Boolean));
    this.draw();
  }

  /** The same request for a terminal. */
  get request() {
    const { A, B } = this.slots;
    return { path: `${this.model.path}/interpolate.png`, body: { from: { z: A.z }, to: { z: B.z }, steps: Number(this.steps.value),
      ...(this.mode.value && { mode: this.mode.value }) } };
  }

  get ready() {
    return Boolean(this.model && this.slots.A && this.slots.B);
  }

  /** The strip, of the weights that are shown. */
  async draw() {
    show(this.way, this.ready);
    const turn = this.turn += 1;
    try {
      if (this.ready) await this.drawWay(turn);
      else for (const slot of Object.values(this.slots)) if (slot) await this.drawFace(slot, turn);
    } catch (problem) {
      if (turn === this.turn && problem.name !== 'AbortError') setText(this.words, problem.message);
    }
  }

  async drawFace({ letter, z }, turn) {
    const { images } = await query(`${this.model.path}/decode`, { z: [z] }, this.signal);
    if (turn === this.turn) drawImage(this.faces[letter].canvas, images[0].flat(2), this.model.image);
  }

  async drawWay(turn) {
    const { body } = this.request;
    const { images, path } = await query(`${this.model.path}/interpolate`, body, this.signal);
    if (turn !== this.turn) return;
    const flat = Float32Array.from(images.flat(3));
    const { image } = this.model;
    drawTiles(this.strip, flat, image, images.length, images.length);
    drawImage(this.faces.A.canvas, flat, image, 0);
    drawImage(this.faces.B.canvas, flat, image, images.length - 1);
    this.strip.setAttribute('aria-label', `${images.length} images on the way from A (${this.slots.A.words}) to B (${this.slots.B.words})`);
    this.strip.dataset.steps = String(images.length);
    const size = (value) => value?.toPrecision(3);
    setText(this.words, !path?.smoothness ? 'A and B look the same.'
      : `Each image differs from the one before by ${size(path.mean_step)} on average, by ${size(path.max_step)} at most.`);
  }

  // --- along it ----------------------------------------------------------------------------------------------------------

  walk() {
    if (!this.ready) return;
    const way = (this.mode.value || this.autoMode) === 'slerp' ? slerp : lerp;
    const t = Number(this.slider.value);
    this.slider.setAttribute('aria-valuetext', `${Math.round(100 * t)} % of the way`);
    this.onWalk(way(this.slots.A.z, this.slots.B.z, t), t);
  }

  onStrip({ offsetX }) {
    const n = Number(this.strip.dataset.steps);
    const k = Math.min(n - 1, Math.floor((offsetX / this.strip.clientWidth) * n));
    this.stop();
    this.slider.value = String(k / (n - 1));
    this.walk();
  }

  start() {
    const from = Number(this.slider.value) >= 1 ? 0 : Number(this.slider.value);
    const begun = performance.now() - from * PLAY_MS;
    this.play.setAttribute('aria-pressed', 'true');
    setText(this.play, '‖ Pause');
    const frame = (now) => {
      if (this.signal.aborted) return;
      this.slider.value = String(Math.min(1, (now - begun) / PLAY_MS));
      this.walk();
      if (now - begun < PLAY_MS) this.playing = requestAnimationFrame(frame);
      else this.stop();
    };
    this.playing = requestAnimationFrame(frame);
  }

  stop() {
    cancelAnimationFrame(this.playing);
    this.playing = null;
    this.play.setAttribute('aria-pressed', 'false');
    setText(this.play, '▶ Walk');
  }
}

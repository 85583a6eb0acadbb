// panels/latent.js: one slider per latent unit; the picture follows as you drag, also while the net still learns.

import { get, picture, query } from '../lib/api.js';
import { h, setText, show, throttled } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';

const FIRST = 32; // sliders shown at once; more are a click away
const LIVE_MS = 1000; // a training net publishes its weights about once a second

/** A draw of the standard normal distribution (Box and Muller). */
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

const digits = (value) => String(Number(value.toPrecision(4)));

const average = ({ mean }) => mean;

/** Where the training codes lie, as far as the model knows; a unit that always says the same still has a width to go by. */
function codesOf({ z, latent_dim: n }) {
  const each = (value) => new Array(n).fill(value);
  const codes = z ?? { mean: each(0), std: each(1), q01: each(-2.33), q99: each(2.33) };
  return { ...codes, std: codes.std.map((std) => std || 1), of: z ? 'the training images' : 'the normal distribution' };
}

export class LatentPanel {
  /** onWeights: there are some, to decode with and to download. */
  constructor(job, { signal, onWeights }) {
    this.path = `v1/models/${job.id}`;
    this.dataset = job.dataset;
    this.signal = signal;
    this.onWeights = onWeights;
    this.units = [];
    this.image = 0; // of the test split
    this.start = (codes) => this.encode(codes);
    this.turn = 0; // of follow()
    this.which = '';
    this.held = false;
    this.pending = null;
    this.picture = new Picture('Decoded image: none yet', 'decoded');
    this.caption = h('figcaption', { class: 'quiet' }, ' ');
    this.list = h('div', { class: 'sliders' });
    this.more = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.showAll() }, 'Show all units');
    this.waiting = h('p', { class: 'quiet' }, 'Sliders appear as soon as the net has weights.');
    this.help = h('p', { class: 'hint' });
    this.body = h('div', { class: 'latent', hidden: true }, this.help, h('figure', {}, this.picture.node, this.caption), this.list, this.more);
    this.another = this.button('Test image', () => this.nextImage());
    this.buttons = h('div', { class: 'controls', hidden: true }, this.another,
      this.button('Mean', () => this.startFrom(average)), this.button('Random', () => this.randomise()),
      h('a', { href: `#/explore/${job.id}` }, 'Explore'));
    this.node = h('section', { class: 'card latent-panel', 'aria-labelledby': 'latent-title' },
      h('div', { class: 'head' }, h('h2', { id: 'latent-title' }, 'Latent units'), this.buttons), this.waiting, this.body);
    this.askModel = throttled(() => this.readModel().catch(() => {}), LIVE_MS);
    this.redraw = throttled(() => this.decode(), LIVE_MS);
  }

  button(text, onclick) {
    return h('button', { type: 'button', class: 'small', onclick }, text);
  }

  /** Once there are weights; again when the run has ended and serves those it kept: `which` says in a word which they are. */
  async load(which = '') {
    this.held = false;
    this.which = which;
    try {
      await this.readModel();
    } catch (problem) {
      if (problem.name !== 'AbortError' && !this.units.length) setText(this.waiting, problem.message);
    }
  }

  /** The run is ending: what it has published goes away, what it has saved comes with load(). */
  hold() {
    this.held = true;
    this.askModel.cancel();
    this.redraw.cancel();
  }

  sayNone() {
    setText(this.waiting, 'This run ended before it had saved any weights.');
    this.ready(false);
  }

  ready(ready) {
    show(this.waiting, !ready);
    show(this.body, ready);
    show(this.buttons, ready);
  }

  async readModel() {
    const model = await get(this.path, this.signal);
    if (this.held) return; // asked while it ran
    this.onWeights(model);
    if (!model.abilities.includes('decode') || !model.latent_dim) {
      show(this.node, false);
      return;
    }
    const encodes = model.abilities.includes('encode');
    if (this.units.length !== model.latent_dim) this.makeUnits(model.latent_dim, encodes);
    show(this.another, encodes);
    this.codes = codesOf(model);
    await this.follow();
    this.ready(true);
  }

  // --- the units -------------------------------------------------------------------------------------------------------
  //
  // The codes move while the net learns. A unit that was touched keeps its place among them, in standard deviations from
  // the mean; the others stay at the start: the code of a test image, or the mean.

  makeUnits(n, encodes) {
    setText(this.help, `${encodes ? `The encoder leaves ${n} numbers of an image, its latent units; the decoder paints from them alone.`
      : `An image is painted from ${n} numbers of noise, the latent units.`} Drag one to see what it stands for.`);
    this.units = Array.from({ length: n }, (_, i) => this.makeUnit(i));
    this.list.replaceChildren(...this.units.map((unit) => unit.node));
    if (!encodes) for (const unit of this.units) unit.place = normal(); // the mean of noise is like none of it
    this.units.slice(FIRST).forEach((unit) => show(unit.node, false));
    show(this.more, n > FIRST);
    setText(this.more, `Show all ${n} units`);
  }

  makeUnit(i) {
    const input = h('input', { type: 'range', 'aria-label': `Latent unit ${i}`, step: 'any', oninput: () => this.onSlide(unit, i) });
    const output = h('output', { class: 'num' });
    const node = h('label', { class: 'slider-row' }, h('span', { class: 'unit' }, `z${i}`), input, output);
    const unit = { input, output, node, value: 0, place: null };
    input.addEventListener('dblclick', () => {
      unit.place = 0;
      this.follow();
    });
    return unit;
  }

  showAll() {
    this.units.forEach((unit) => show(unit.node, true));
    show(this.more, false);
  }

  /** The start again, of the codes as they are now; every unit to where it belongs; the picture. */
  async follow() {
    this.turn += 1;
    const { turn } = this;
    const start = await this.start(this.codes);
    if (turn !== this.turn || this.held) return;
    const { mean, std } = this.codes;
    this.units.forEach((unit, i) => this.put(unit, i, unit.place === null ? start[i] : mean[i] + unit.place * std[i]));
    this.decode();
  }

  /** A value outside of what the training images say widens its slider: it is not to be bent to fit. */
  put(unit, i, value) {
    const { q01, q99, of } = this.codes;
    const half = q99[i] > q01[i] ? 0 : 1; // a unit that always says the same still gets a slider
    const [min, max] = [q01[i] - half, q99[i] + half];
    unit.input.min = String(Math.min(min, value));
    unit.input.max = String(Math.max(max, value));
    unit.input.title = `1 to 99 % of ${of}: ${digits(min)} … ${digits(max)}`;
    unit.input.value = String(value);
    this.take(unit, value);
  }

  take(unit, value) {
    unit.value = value;
    setText(unit.output, value.toFixed(2));
    unit.input.setAttribute('aria-valuetext', unit.output.textContent);
  }

  onSlide(unit, i) {
    this.take(unit, Number(unit.input.value));
    unit.place = (unit.value - this.codes.mean[i]) / this.codes.std[i];
    this.decode();
  }

  startFrom(start) {
    this.start = start;
    for (const unit of this.units) unit.place = null;
    this.follow();
  }

  nextImage() {
    this.image += 1;
    this.startFrom((codes) => this.encode(codes));
  }

  randomise() {
    for (const unit of this.units) unit.place = normal();
    this.follow();
  }

  /** The code of a test image; the mean where there is none to be had. */
  async encode(codes) {
    if (this.another.hidden) return codes.mean;
    const body = { dataset: this.dataset, split: 'test', indices: [this.image] };
    const answer = await query(`${this.path}/encode`, body, this.signal).catch(() => null);
    return answer?.z[0] ?? codes.mean;
  }

  // --- the picture -----------------------------------------------------------------------------------------------------

  /** At most one request under way; of those that came meanwhile only the newest goes out. */
  async decode() {
    if (!this.units.length || this.held) return;
    this.pending = this.units.map((unit) => unit.value);
    if (this.busy) return;
    this.busy = true;
    while (this.pending && !this.held && !this.signal.aborted) {
      const z = this.pending;
      this.pending = null;
      await this.drawDecoded(z).catch((problem) => setText(this.caption, problem.message));
    }
    this.busy = false;
  }

  async drawDecoded(z) {
    const { blob, epoch } = await picture(`${this.path}/decode.png`, { body: { z: [z] }, signal: this.signal });
    this.picture.draw(await createImageBitmap(blob), `Decoded from ${z.slice(0, 8).map((v) => v.toFixed(2)).join(', ')}${z.length > 8 ? ', …' : ''}`);
    setText(this.caption, epoch === null ? '' : this.which ? `${this.which} weights, epoch ${epoch}` : `weights of epoch ${epoch}`);
  }

  /** New weights may have been published: the same codes, decoded again. */
  onProgress() {
    if (this.held) return;
    if (this.units.length) this.redraw();
    else this.askModel();
  }

  onEpoch() {
    if (!this.held) this.askModel();
  }

  close() {
    this.hold();
  }
}

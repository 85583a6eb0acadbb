// panel_latent.js: one slider per latent unit; the picture follows as you drag, also while the net still learns.

import { get, picture } from './api.js';
import { h, setText, show, throttled } from './dom.js';
import { Picture } from './picture.js';

const FIRST = 32; // sliders shown at once; more are a click away
const LIVE_MS = 1000; // a training net publishes its weights about once a second

/** A draw of the standard normal distribution (Box and Muller). */
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

const digits = (value) => String(Number(value.toPrecision(4)));

export class LatentPanel {
  constructor(path, signal) {
    this.path = path;
    this.signal = signal;
    this.sliders = [];
    this.touched = false;
    this.held = false;
    this.pending = null;
    this.picture = new Picture('Decoded image: none yet', 'decoded');
    this.caption = h('figcaption', { class: 'quiet' }, ' ');
    this.list = h('div', { class: 'sliders' });
    this.more = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.showAll() }, 'Show all units');
    this.waiting = h('p', { class: 'quiet' }, 'Sliders appear as soon as the net has weights.');
    this.body = h('div', { class: 'latent', hidden: true }, h('figure', {}, this.picture.node, this.caption), this.list, this.more);
    this.buttons = h('div', { class: 'controls', hidden: true },
      h('button', { type: 'button', class: 'small', onclick: () => this.setAll((unit) => unit.mean) }, 'Mean'),
      h('button', { type: 'button', class: 'small', onclick: () => this.setAll((unit) => unit.mean + unit.std * normal()) }, 'Random'));
    this.node = h('section', { class: 'card latent-panel', 'aria-labelledby': 'latent-title' },
      h('div', { class: 'head' }, h('h2', { id: 'latent-title' }, 'Latent units'), this.buttons), this.waiting, this.body);
    this.askModel = throttled(() => this.readModel().catch(() => {}), LIVE_MS);
    this.redraw = throttled(() => this.decode(), LIVE_MS);
  }

  /** Once there are weights; again when the run has ended and serves its best ones. */
  async load() {
    this.held = false;
    try {
      await this.readModel();
    } catch (problem) {
      if (problem.name !== 'AbortError' && !this.sliders.length) setText(this.waiting, problem.message);
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
    if (!model.abilities.includes('decode') || !model.latent_dim) {
      show(this.node, false);
      return;
    }
    if (this.sliders.length !== model.latent_dim) this.makeSliders(model.latent_dim);
    this.setRanges(model);
    this.ready(true);
    this.decode();
  }

  makeSliders(n) {
    this.sliders = Array.from({ length: n }, (_, i) => this.makeSlider(i));
    this.list.replaceChildren(...this.sliders.map((unit) => unit.node));
    this.sliders.slice(FIRST).forEach((unit) => show(unit.node, false));
    show(this.more, n > FIRST);
    setText(this.more, `Show all ${n} units`);
  }

  makeSlider(i) {
    const input = h('input', { type: 'range', 'aria-label': `Latent unit ${i}`, step: 'any', oninput: () => this.onSlide(unit) });
    const output = h('output', { class: 'num' });
    const node = h('label', { class: 'slider-row' }, h('span', { class: 'unit' }, `z${i}`), input, output);
    const unit = { input, output, node, mean: 0, std: 1 };
    input.addEventListener('dblclick', () => this.setUnit(unit, unit.mean, true));
    return unit;
  }

  showAll() {
    this.sliders.forEach((unit) => show(unit.node, true));
    show(this.more, false);
  }

  // The codes move while the net learns: untouched sliders stay at their mean, touched ones keep their value in the new range.
  setRanges({ z }) {
    if (!z) return;
    this.sliders.forEach((unit, i) => {
      const value = this.touched ? Number(unit.input.value) : z.mean[i];
      Object.assign(unit, { mean: z.mean[i], std: z.std[i] });
      const half = z.q99[i] > z.q01[i] ? 0 : 1; // a unit that always says the same still gets a slider
      const [min, max] = [z.q01[i] - half, z.q99[i] + half];
      unit.input.min = String(min);
      unit.input.max = String(max);
      unit.input.title = `1 to 99 % of the training images: ${digits(min)} … ${digits(max)}`;
      this.setUnit(unit, value, false);
    });
  }

  setUnit(unit, value, draw) {
    unit.input.value = String(value);
    this.label(unit);
    if (draw) this.onSlide(unit);
  }

  label(unit) {
    setText(unit.output, Number(unit.input.value).toFixed(2));
    unit.input.setAttribute('aria-valuetext', unit.output.textContent);
  }

  setAll(valueOf) {
    this.touched = true;
    this.sliders.forEach((unit) => this.setUnit(unit, valueOf(unit), false));
    this.decode();
  }

  onSlide(unit) {
    this.touched = true;
    this.label(unit);
    this.decode();
  }

  /** At most one request under way; of those that came meanwhile only the newest goes out. */
  async decode() {
    if (!this.sliders.length || this.held) return;
    this.pending = this.sliders.map((unit) => Number(unit.input.value));
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
    setText(this.caption, epoch === null ? '' : `weights of epoch ${epoch}`);
  }

  /** New weights may have been published: the same codes, decoded again. */
  onProgress() {
    if (this.held) return;
    if (this.sliders.length) this.redraw();
    else this.askModel();
  }

  onEpoch() {
    if (!this.held) this.askModel();
  }

  close() {
    this.hold();
  }
}

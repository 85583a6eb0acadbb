// panels/walk.js: images on the way from one code to another: of two seeds, of two test images, or of what stands for two classes.

import { get, picture } from '../lib/api.js';
import { complain, h, newId, setText, show } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';

const STEPS = 10;
// The choices that are no class, as select values: no class has such a name.
const SEED = '';
const IMAGE = '\0image';

const WAYS = [
  ['', 'the way that suits the codes'],
  ['slerp', 'around the sphere near which normal codes lie (slerp)'],
  ['lerp', 'straight (lerp)'],
];

const whole = ({ value }) => Math.max(0, Math.trunc(Number(value)) || 0);

/** One end of a walk: a seed, a test image, or a class. */
class End {
  constructor(name, seed, onChange) {
    this.only = h('span', {}, 'seed'); // as long as there is no choice
    this.choice = h('select', { 'aria-label': `Walk ${name}`, hidden: true, onchange: () => this.chosen(onChange) }, h('option', { value: SEED }, 'seed'));
    this.seed = h('input', { type: 'text', inputmode: 'numeric', value: String(seed), 'aria-label': `Seed to walk ${name}`, onchange: onChange });
    this.index = h('input', { type: 'text', inputmode: 'numeric', value: String(seed), hidden: true, 'aria-label': `Test image to walk ${name}`, onchange: onChange });
    this.node = h('span', { class: 'walk-end' }, name, this.only, this.choice, this.seed, this.index);
  }

  offer(classes) {
    this.choice.append(h('option', { value: IMAGE }, 'test image'), ...classes.map((name) => h('option', { value: name }, name)));
    show(this.only, false);
    show(this.choice, true);
  }

  chosen(onChange) {
    show(this.seed, this.choice.value === SEED);
    show(this.index, this.choice.value === IMAGE);
    onChange();
  }

  request() {
    if (this.choice.value === SEED) return { seed: whole(this.seed) };
    return this.choice.value === IMAGE ? { index: whole(this.index) } : { class: this.choice.value };
  }

  words() {
    if (this.choice.value === SEED) return `seed ${whole(this.seed)}`;
    return this.choice.value === IMAGE ? `test image ${whole(this.index)}` : this.choice.value;
  }
}

export class WalkPanel {
  constructor(job, signal) {
    this.path = `v1/models/${job.id}/interpolate.png`;
    this.dataset = job.dataset;
    this.signal = signal;
    this.turn = 0;
    const redraw = () => this.draw();
    this.from = new End('from', 1, redraw);
    this.to = new End('to', 2, redraw);
    this.mode = h('select', { 'aria-label': 'How to walk', onchange: redraw }, WAYS.map(([value, help]) => h('option', { value, title: help }, value)));
    this.help = h('p', { class: 'hint' });
    this.picture = new Picture('Walk: none yet', 'walk');
    const id = newId('walk');
    this.node = h('section', { class: 'card walk-panel', 'aria-labelledby': id, hidden: true },
      h('div', { class: 'head' }, h('h2', { id }, 'Walk'), h('div', { class: 'controls' }, this.from.node, this.to.node, this.mode)),
      this.help, this.picture.node);
  }

  /** The model as GET /v1/models tells it, again whenever it may have changed. */
  set(model) {
    const { abilities, epoch, auto_distribution: auto } = model;
    if (!abilities.includes('sample') || epoch === this.epoch) return;
    if (this.epoch === undefined) this.open(abilities.includes('encode'), auto);
    this.epoch = epoch;
    this.draw();
  }

  open(encodes, auto) {
    setText(this.mode.options[0], auto === 'normal' ? 'auto (slerp)' : 'auto (lerp)');
    show(this.node, true);
    if (encodes) this.offerClasses().catch(() => {}); // seeds are there without them
  }

  async offerClasses() {
    const { classes } = await get(`v1/datasets/${encodeURIComponent(this.dataset)}`, this.signal);
    for (const end of [this.from, this.to]) end.offer(classes);
  }

  async draw() {
    const turn = this.turn += 1;
    const mode = this.mode.value;
    const words = `from ${this.from.words()} to ${this.to.words()}`;
    setText(this.help, `${STEPS} codes ${words}: ${WAYS.find(([value]) => value === mode)[1]}.`);
    try {
      const body = { from: this.from.request(), to: this.to.request(), steps: STEPS, ...(mode && { mode }) };
      const { blob } = await picture(this.path, { body, signal: this.signal });
      const bitmap = await createImageBitmap(blob);
      if (turn === this.turn) this.picture.draw(bitmap, `Images on the way ${words}`);
    } catch (problem) {
      if (turn === this.turn) complain(problem);
    }
  }
}

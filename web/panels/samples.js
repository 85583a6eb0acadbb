// panels/samples.js: new images, decoded from codes drawn from a distribution of one's choice.

import { picture } from '../lib/api.js';
import { complain, h, setText, show } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';

const COUNT = 32;
const COLUMNS = 8;

export class SamplesPanel {
  constructor(job, signal) {
    this.path = `v1/models/${job.id}/samples.png`;
    this.signal = signal;
    this.seed = 0;
    this.turn = 0;
    this.help = h('p', { class: 'hint' });
    this.choice = h('select', { 'aria-label': 'Distribution of the codes', onchange: () => this.draw() });
    this.other = h('button', { type: 'button', class: 'small', onclick: () => this.drawOthers() }, 'Others');
    this.picture = new Picture('Samples: none yet', 'grid');
    this.node = h('section', { class: 'card samples-panel', 'aria-labelledby': 'samples-title', hidden: true },
      h('div', { class: 'head' }, h('h2', { id: 'samples-title' }, 'New images'), h('div', { class: 'controls' }, this.choice, this.other)),
      this.help, this.picture.node);
  }

  /** The model as GET /v1/models tells it, again whenever it may have changed: another epoch's draws anew. */
  set({ auto_distribution: auto, distributions, epoch }) {
    if (!distributions?.length || (this.auto === auto && this.epoch === epoch)) return;
    if (this.auto !== auto) this.offer(auto, distributions);
    this.epoch = epoch;
    this.draw();
  }

  offer(auto, distributions) {
    const chosen = this.choice.value;
    this.auto = auto;
    this.rows = [{ name: 'auto', help: `${auto} for this model` }, ...distributions];
    this.choice.replaceChildren(...this.rows.map(({ name, help }) => h('option', { value: name, title: help }, name === 'auto' ? `auto (${auto})` : name)));
    if (chosen) this.choice.value = chosen;
    show(this.node, true);
  }

  drawOthers() {
    this.seed += 1;
    this.draw();
  }

  async draw() {
    const { value } = this.choice;
    const turn = this.turn += 1;
    setText(this.help, `Codes are drawn: ${this.rows.find(({ name }) => name === value).help}.`);
    try {
      const { blob } = await picture(`${this.path}?count=${COUNT}&cols=${COLUMNS}&seed=${this.seed}&distribution=${value}`, { signal: this.signal });
      const bitmap = await createImageBitmap(blob);
      if (turn === this.turn) this.picture.draw(bitmap, `${COUNT} images decoded from codes of distribution ${value}, seed ${this.seed}`);
    } catch (problem) {
      complain(problem);
    }
  }
}

// panels/atlas.js: what the units of the code do: images of a grid over two of them, and a row of images along each.

import { picture } from '../lib/api.js';
import { complain, h, newId, setText, show } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';

const N = 12;
const STEPS = 9;
const ROWS = 32; // of the traversals, at most

export class AtlasPanel {
  constructor(job, signal) {
    this.path = `v1/models/${job.id}`;
    this.signal = signal;
    this.turn = 0;
    this.asking = new AbortController();
    const redraw = () => this.drawGrid();
    this.right = h('select', { 'aria-label': 'Unit to the right', onchange: redraw });
    this.up = h('select', { 'aria-label': 'Unit upwards', onchange: redraw });
    this.controls = h('div', { class: 'controls', hidden: true }, 'right', this.right, 'up', this.up);
    this.help = h('p', { class: 'hint' });
    this.grid = new Picture('Grid over two units: none yet', 'grid');
    this.rows = new Picture('Images along each unit: none yet', 'grid');
    const id = newId('atlas');
    this.node = h('section', { class: 'card atlas-panel', 'aria-labelledby': id, hidden: true },
      h('div', { class: 'head' }, h('h2', { id }, 'What the units do'), this.controls), this.help, this.grid.node,
      h('p', { class: 'hint' }, 'Below, a row for each unit, the most varied first: the unit moves, the others stay at their means.'), this.rows.node);
  }

  /** The model as GET /v1/models tells it, again whenever it may have changed. */
  set(model) {
    const { abilities, epoch } = model;
    if (!abilities.includes('sample') || epoch === this.epoch) return;
    if (this.epoch === undefined) this.open(model);
    this.epoch = epoch;
    this.drawGrid();
    this.drawRows();
  }

  /** The run is ending: what it has published goes away; set() draws what it has saved. */
  hold() {
    this.asking.abort();
    this.asking = new AbortController();
    if (this.epoch !== undefined) this.epoch = null;
  }

  /** The grid begins with the two units that vary most. */
  open({ latent_dim: units, auto_distribution: auto, z }) {
    this.units = units;
    this.spread = auto === 'normal' ? 'the normal distribution' : 'the training codes';
    const order = Array.from({ length: units }, (_, i) => i);
    if (z) order.sort((a, b) => z.std[b] - z.std[a]);
    for (const [choice, unit] of [[this.right, order[0]], [this.up, order.at(units > 1 ? 1 : 0)]]) {
      choice.append(...Array.from({ length: units }, (_, i) => h('option', { value: String(i) }, `z${i}`)));
      choice.value = String(unit);
    }
    show(this.controls, units > 2);
    show(this.node, true);
  }

  /** Two different units, or the only one. */
  dims() {
    return [...new Set([this.right.value, this.up.value])];
  }

  async drawGrid() {
    const turn = this.turn += 1;
    const dims = this.dims();
    const words = dims.map((unit) => `z${unit}`);
    setText(this.help, `${words[0]} grows to the right${words[1] ? `, ${words[1]} upwards` : ''}, by the quantiles of ${this.spread}.`);
    await this.draw(this.grid, `manifold.png?n=${N}&dims=${dims.join(',')}`, `Images of a grid over ${words.join(' and ')}`, () => turn === this.turn);
  }

  async drawRows() {
    const { epoch } = this;
    await this.draw(this.rows, `traversals.png?steps=${STEPS}`, `Images along ${Math.min(this.units, ROWS)} units, a row each`, () => epoch === this.epoch);
  }

  async draw(onto, what, label, current) {
    try {
      const { blob } = await picture(`${this.path}/${what}`, { signal: AbortSignal.any([this.signal, this.asking.signal]) });
      const bitmap = await createImageBitmap(blob);
      if (current()) onto.draw(bitmap, label);
    } catch (problem) {
      if (current()) complain(problem);
    }
  }
}

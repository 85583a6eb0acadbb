// panels/explore_near.js: the training images nearest to the code: whether it lies among them, and what is there.

import { picture, query } from '../lib/api.js';
import { h, setText, show } from '../lib/dom.js';

const K = 8;

export class NearPanel {
  /** onTake({split, index}). */
  constructor(signal, onTake) {
    Object.assign(this, { signal, onTake, turn: 0, busy: false });
    this.words = h('p', { class: 'hint', role: 'status' }, 'Once the code is at rest.');
    this.list = h('div', { class: 'explore-near' });
    this.go = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.ask(this.last) }, 'Look for them');
    this.node = h('section', { class: 'card explore-nearby', 'aria-label': 'Nearest training images' },
      h('div', { class: 'head' }, h('h2', {}, 'Nearest training images'), this.go),
      this.words, this.list);
  }

  /** The code has come to rest. Models without an encoder compare pixels of all images: only when asked to. */
  rest(model, z) {
    this.last = { model, z };
    const cheap = model.encodes;
    show(this.go, !cheap);
    if (!cheap) {
      this.list.replaceChildren();
      setText(this.words, 'Whether it has learnt an image by heart: by pixels, among all training images.');
    } else this.ask(this.last);
  }

  async ask({ model, z }) {
    const turn = this.turn += 1;
    try {
      const near = await query(`${model.path}/nearest`, { z, k: K }, this.signal);
      const path = `v1/datasets/${encodeURIComponent(model.dataset)}/images.png`;
      const strip = await picture(`${path}?split=train&indices=${near.index.join(',')}&cols=${K}`, { signal: this.signal });
      const bitmap = await createImageBitmap(strip.blob);
      if (turn === this.turn) this.draw(near, bitmap, model);
    } catch (problem) {
      if (turn === this.turn && problem.name !== 'AbortError') setText(this.words, problem.message);
    }
  }

  draw(near, bitmap, { image: [, height, width], encodes }) {
    const step = near.index.length > 1 ? (bitmap.width - width) / (near.index.length - 1) : 0; // there may be lines between them
    this.list.replaceChildren(...near.index.map((index, i) => {
      const canvas = h('canvas', { class: 'picture', width, height, 'aria-hidden': 'true' });
      canvas.getContext('2d').drawImage(bitmap, i * step, 0, width, height, 0, 0, width, height);
      const words = `${near.class[i]}, training image ${index}, distance ${near.distance[i].toPrecision(3)}`;
      return h('button', { type: 'button', class: 'explore-tile', 'aria-label': words, title: words, disabled: !encodes,
        onclick: () => this.onTake({ split: 'train', index }) }, canvas, h('span', {}, near.class[i]),
          h('span', { class: 'quiet num' }, near.distance[i].toPrecision(3)));
    }));
    const [top, votes] = this.vote(near.class);
    setText(this.words, `${votes} of ${near.index.length} are of the class ${top}. Distances are between ${near.space}.`);
  }

  vote(names) {
    const votes = new Map();
    for (const name of names) votes.set(name, (votes.get(name) ?? 0) + 1);
    return [...votes].sort((a, b) => b[1] - a[1])[0];
  }
}

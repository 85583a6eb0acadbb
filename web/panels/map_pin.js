// panels/map_pin.js: one point of a map that has been pressed: its image, its class, what lies beside it on the map.

import { h, setText, show } from '../lib/dom.js';
import { nearest } from '../lib/plane.js';
import { drawBitmap } from '../lib/sprites.js';

const K = 8;

export class MapPin {
  /** onTake(i): another point; onLeave(): none any more. */
  constructor({ onTake, onLeave }) {
    Object.assign(this, { onTake });
    this.hint = h('p', { class: 'hint' }, 'Press a point to see its image and what lies beside it. The wheel zooms, a drag moves the map.');
    this.canvas = h('canvas', { class: 'picture', role: 'img', 'aria-label': 'Image', width: '1', height: '1' });
    this.words = h('p', { role: 'status' });
    this.explore = h('a', { class: 'button', hidden: true }, 'Explore from here');
    this.near = h('div', { class: 'explore-near' });
    this.body = h('div', { hidden: true }, h('div', { class: 'map-pin' }, this.canvas, h('div', { class: 'view' }, this.words,
      h('div', { class: 'controls' }, this.explore, h('button', { type: 'button', class: 'small', onclick: onLeave }, 'Let go')))),
    h('h3', {}, 'Nearest on the map'), this.near);
    this.node = h('section', { class: 'card', 'aria-label': 'Point' }, this.hint, this.body);
  }

  /** `map`: {xy, index, labels, classes, split, sprites, from}; i < 0: none. */
  async set(map, i) {
    const turn = this.turn = (this.turn ?? 0) + 1;
    show(this.hint, i < 0);
    show(this.body, i >= 0);
    if (i < 0) return;
    setText(this.words, `${map.split} image ${map.index[i]}: ${map.classes[map.labels[i]]}`);
    show(this.explore, Boolean(map.from));
    if (map.from) this.explore.href = `#/explore/${map.from}?image=${map.split}:${map.index[i]}`;
    const beside = nearest(map.index.length, (j) => (j === i ? Infinity : (map.xy[2 * j] - map.xy[2 * i]) ** 2
      + (map.xy[2 * j + 1] - map.xy[2 * i + 1]) ** 2),
      Math.min(K, map.index.length - 1)).map((row) => row.i);
    const bitmaps = await Promise.all([i, ...beside].map((j) => map.sprites.image(map.split, map.index[j])));
    if (turn !== this.turn) return;
    drawBitmap(this.canvas, bitmaps[0]);
    this.canvas.setAttribute('aria-label', `Image ${map.index[i]}`);
    this.near.replaceChildren(...beside.map((j, k) => this.tile(map, j, bitmaps[k + 1], map.labels[j] === map.labels[i])));
  }

  tile(map, j, bitmap, same) {
    const canvas = h('canvas', { class: 'picture', 'aria-hidden': 'true' });
    drawBitmap(canvas, bitmap);
    const name = map.classes[map.labels[j]];
    return h('button', { type: 'button', class: same ? 'explore-tile' : 'explore-tile other', title: `image ${map.index[j]}`,
      onclick: () => this.onTake(j) }, canvas,
      h('span', {}, name), h('span', { class: 'quiet num' }, map.index[j]));
  }
}

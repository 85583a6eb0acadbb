// lib/picture.js: a PNG of the daemon on a canvas. Fetched by api.js, because an <img> cannot bring a token along.

import { picture } from './api.js';
import { h } from './dom.js';

const KEPT = 64; // pictures that need not be asked for again

export class Picture {
  constructor(label, cls) {
    this.node = h('canvas', { class: `picture ${cls}`, role: 'img', 'aria-label': label, width: '1', height: '1' });
    this.kept = new Map();
    this.turn = 0;
  }

  /** Shows the picture at path, unless a later call came meanwhile. Such pictures never change, so they are kept. */
  async show(path, label, signal) {
    this.turn += 1;
    const { turn } = this;
    const bitmap = await this.fetch(path, signal);
    if (turn === this.turn) this.draw(bitmap, label);
  }

  /** So that show() has it at once. One that could not be had is asked for again. */
  fetch(path, signal) {
    if (!this.kept.has(path)) {
      const coming = picture(path, { signal }).then(({ blob }) => createImageBitmap(blob));
      coming.catch(() => this.kept.get(path) === coming && this.kept.delete(path));
      this.kept.set(path, coming);
      if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
    }
    return this.kept.get(path);
  }

  draw(bitmap, label) {
    if (this.node.width !== bitmap.width) this.node.width = bitmap.width;
    if (this.node.height !== bitmap.height) this.node.height = bitmap.height;
    this.node.classList.toggle('wide-picture', bitmap.width > 2 * bitmap.height);
    this.node.getContext('2d').drawImage(bitmap, 0, 0);
    this.node.setAttribute('aria-label', label);
    this.node.dataset.shown = String(Number(this.node.dataset.shown ?? 0) + 1);
  }
}

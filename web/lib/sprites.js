// lib/sprites.js: single images of a data set, kept once they have been asked for.

import { picture } from './api.js';

const KEPT = 512;

export class Sprites {
  constructor(dataset, signal) {
    Object.assign(this, { path: `v1/datasets/${encodeURIComponent(dataset)}/images.png`, signal, kept: new Map() });
  }

  /** Promise of the image as a bitmap. */
  image(split, index) {
    const query = `?split=${split}&indices=${index}`;
    if (!this.kept.has(query)) this.keep(query, this.load(query));
    return this.kept.get(query);
  }

  async load(query) {
    return createImageBitmap((await picture(this.path + query, { signal: this.signal })).blob);
  }

  keep(query, bitmap) {
    this.kept.set(query, bitmap);
    bitmap.catch(() => this.kept.delete(query)); // to be asked for again
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }
}

/** A bitmap on a canvas of its size. */
export function drawBitmap(canvas, bitmap) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
}

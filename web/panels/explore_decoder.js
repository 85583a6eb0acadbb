// panels/explore_decoder.js: the image of the code, as fast as the hand that leads it.

import { h, setText, show } from '../lib/dom.js';
import { numbers } from '../lib/numbers.js';
import { drawImage } from '../lib/pixels.js';
import { drawBitmap } from '../lib/sprites.js';

export class Decoder {
  /** onDrawn({epoch, step}): of the weights that painted it. */
  constructor(signal, onDrawn) {
    Object.assign(this, { signal, onDrawn, wanted: null, busy: false, original: 0 });
    this.canvas = h('canvas', { class: 'picture', role: 'img', 'aria-label': 'Decoded image: none yet', width: '1', height: '1' });
    this.source = h('canvas', { class: 'picture', role: 'img', 'aria-label': 'Image', width: '1', height: '1' });
    this.sourceWords = h('figcaption', { class: 'quiet' });
    this.beside = h('figure', { class: 'explore-original', hidden: true }, this.source, this.sourceWords);
    this.caption = h('figcaption', { class: 'quiet num' }, ' ');
    this.mark = h('span', { class: 'explore-mark', role: 'status' });
    this.node = h('div', { class: 'explore-decoded' }, h('figure', {}, this.canvas, this.mark, this.caption), this.beside);
  }

  /** At most one request under way; of the codes that came meanwhile only the newest is asked for. */
  async decode(model, z) {
    this.wanted = { ...model, z };
    if (this.busy) return;
    this.busy = true;
    while (this.wanted && !this.signal.aborted) {
      const { path, image, z: code } = this.wanted;
      this.wanted = null;
      await this.draw(path, image, code).catch((problem) => this.say(problem));
    }
    this.busy = false;
  }

  async draw(path, image, z) {
    const { data, epoch, step } = await numbers(`${path}/decode.npy`, { body: { z: [z] }, signal: this.signal });
    await this.ownFrame();
    drawImage(this.canvas, data, image);
    const shown = this.canvas.dataset;
    Object.assign(shown, { shown: String(Number(shown.shown ?? 0) + 1), z: z.join(), epoch, step });
    this.onDrawn({ epoch: Number(epoch), step: Number(step) });
  }

  /** Two images within one frame would be one image seen and a frame without: the second waits for a frame of its own. */
  async ownFrame() {
    if (this.drawn && document.visibilityState === 'visible') await new Promise(requestAnimationFrame);
    this.drawn = true;
    requestAnimationFrame(() => { this.drawn = false; });
  }

  say(problem) {
    if (problem.name !== 'AbortError') setText(this.caption, problem.message);
  }

  describe(words, label) {
    setText(this.caption, words);
    if (this.canvas.getAttribute('aria-label') !== label) this.canvas.setAttribute('aria-label', label);
  }

  /** Whether the code lies where no image's does; `help` explains it. */
  setOutside(outside, words, help) {
    this.mark.classList.toggle('outside', outside);
    this.mark.title = help;
    setText(this.mark, outside ? words : '');
  }

  /** The image that the code is of, beside it; null: it is of none. `bitmap` may be a promise. */
  async setOriginal(bitmap, words) {
    const turn = this.original += 1;
    if (!bitmap) return show(this.beside, false);
    const picture = await bitmap;
    if (turn !== this.original) return;
    drawBitmap(this.source, picture);
    this.source.setAttribute('aria-label', words);
    setText(this.sourceWords, words);
    show(this.beside, true);
  }
}

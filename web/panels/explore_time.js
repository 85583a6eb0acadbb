// panels/explore_time.js: which weights: those that are served now, or those of a checkpoint that was kept.

import { get } from '../lib/api.js';
import { h, setText, show } from '../lib/dom.js';

const FRAME_MS = 350; // at least, for each checkpoint that is played

export class TimePanel {
  /** onMoment(epoch | null): null is what the model's own address serves. `drawn()` resolves once its image is shown. */
  constructor(path, signal, { onMoment, drawn }) {
    Object.assign(this, { path, signal, onMoment, drawn, epochs: [], marks: new Map(), moment: null, playing: false });
    this.slider = h('input', { type: 'range', min: '0', max: '0', step: '1', value: '0', 'aria-label': 'Checkpoint',
      oninput: () => this.onSlide() });
    this.label = h('output', { class: 'num explore-moment' }, '');
    this.play = h('button', { type: 'button', class: 'small', 'aria-pressed': 'false', onclick: () => this.toggle() }, '▶ Play');
    this.now = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.choose(null) }, 'Newest');
    this.node = h('div', { class: 'explore-time', hidden: true }, this.play, this.slider, this.label, this.now);
  }

  async read() {
    const epochs = [];
    let query = '?limit=1000';
    for (let more = true; more;) {
      const page = await get(`${this.path}/checkpoints${query}`, this.signal);
      for (const { epoch, best, last } of page.data) {
        epochs.push(epoch);
        this.marks.set(epoch, [best && 'best', last && 'last'].filter(Boolean).join(', '));
      }
      more = page.has_more;
      query = `?limit=1000&after=${encodeURIComponent(page.last_id)}`;
    }
    this.epochs = epochs;
    show(this.node, epochs.length > 0);
    this.place();
  }

  /** What the end of the slider is called: "live", "best". */
  setNewest(words) {
    this.newest = words;
    this.say();
  }

  /** The slider's place for the moment that is shown. */
  place() {
    this.slider.max = String(this.epochs.length);
    const at = this.epochs.indexOf(this.moment);
    this.slider.value = String(this.moment === null || at < 0 ? this.epochs.length : at);
    this.say();
  }

  say() {
    const mark = this.marks.get(this.moment);
    const words = this.moment === null ? this.newest ?? '' : `epoch ${this.moment}${mark ? ` (${mark})` : ''}`;
    setText(this.label, words);
    this.slider.setAttribute('aria-valuetext', words);
    show(this.now, this.moment !== null);
  }

  onSlide() {
    this.stop();
    this.choose(this.epochs[Number(this.slider.value)] ?? null);
  }

  choose(moment) {
    if (moment === this.moment) return;
    this.moment = moment;
    this.place();
    this.onMoment(moment);
  }

  // --- play: the same code through all checkpoints, each for as long as it takes to be seen ----------------------------------

  toggle() {
    if (this.playing) this.stop();
    else this.run();
  }

  stop() {
    this.playing = false;
    this.play.setAttribute('aria-pressed', 'false');
    setText(this.play, '▶ Play');
  }

  async run() {
    this.playing = true;
    this.play.setAttribute('aria-pressed', 'true');
    setText(this.play, '‖ Pause');
    const at = this.moment === null ? -1 : this.epochs.indexOf(this.moment);
    for (let i = at + 1; this.playing && i <= this.epochs.length && !this.signal.aborted; i++) {
      const wait = new Promise((resolve) => { setTimeout(resolve, FRAME_MS); });
      this.choose(this.epochs[i] ?? null);
      await Promise.all([wait, this.drawn()]);
    }
    this.stop();
  }
}

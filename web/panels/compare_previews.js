// panels/compare_previews.js: what the runs painted at the same epoch, side by side, with one slider and a button that plays it.

import { get } from '../lib/api.js';
import { epochShown } from '../lib/compare.js';
import { h, newId, setText, show } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';
import { jobName, runHref } from './runrow.js';

const FRAME_MS = 350;

/** The pictures of one run: kind → epoch → address. Those taken within an epoch are for the run's own page. */
async function readPictures(id, signal) {
  const kinds = new Map();
  let after = '';
  for (let more = true; more;) {
    const page = await get(`v1/jobs/${id}/previews?limit=100${after}`, signal);
    for (const { kind, epoch, url } of page.data) {
      if (url.includes('?step=')) continue;
      if (!kinds.has(kind)) kinds.set(kind, new Map());
      kinds.get(kind).set(epoch, `v1/jobs/${id}/previews/${epoch}/${kind}.png`);
    }
    more = page.has_more;
    after = `&after=${encodeURIComponent(page.last_id)}`;
  }
  return kinds;
}

export class ComparePreviews {
  constructor(jobs, { swatch, signal }) {
    Object.assign(this, { jobs, signal, pictures: new Map(), kind: null, follow: true, last: 0 });
    this.slider = h('input', { type: 'range', min: '0', max: '0', value: '0', 'aria-label': 'Epoch of all previews',
      oninput: () => this.onSlide() });
    this.label = h('output', { class: 'num' }, '0');
    this.play = h('button', { type: 'button', class: 'small', onclick: () => this.toggle() }, 'Play');
    this.choice = h('span', { class: 'segments', role: 'radiogroup', 'aria-label': 'What is shown' });
    this.figures = jobs.map((job) => this.figure(job, swatch));
    this.waiting = h('p', { class: 'quiet' }, 'No pictures yet.');
    this.body = h('div', { class: 'compared-body', hidden: true }, h('div', { class: 'slider-row' }, h('span', {}, 'Epoch'), this.slider, this.label, this.play),
      h('div', { class: 'compared-previews' }, this.figures.map(({ node }) => node)));
    this.node = h('section', { class: 'card', 'aria-labelledby': 'compare-previews' },
      h('div', { class: 'head' }, h('h2', { id: 'compare-previews' }, 'Previews'), this.choice), this.waiting, this.body);
    signal.addEventListener('abort', () => clearInterval(this.timer));
  }

  figure(job, swatch) {
    const picture = new Picture(`${jobName(job)}: no picture yet`, 'grid');
    const at = h('span', { class: 'quiet' });
    return { job, picture, at, node: h('figure', {}, h('figcaption', {}, swatch(job.id), h('a', { href: runHref(job) }, jobName(job)), at),
      picture.node) };
  }

  /** Of these runs anew, or of all. */
  async read(jobs = this.jobs) {
    const read = async (job) => this.pictures.set(job.id, await readPictures(job.id, this.signal));
    await Promise.all(jobs.map((job) => read(job).catch(() => {})));
    this.set();
  }

  set() {
    const kinds = [...new Set([...this.pictures.values()].flatMap((each) => [...each.keys()]))];
    show(this.waiting, !kinds.length);
    show(this.body, kinds.length > 0);
    if (!kinds.length) return;
    if (!kinds.includes(this.kind)) [this.kind] = kinds;
    if (kinds.join() !== this.listed) this.listKinds(kinds);
    this.last = Math.max(...[...this.pictures.values()].flatMap((each) => [...each.values()].flatMap((epochs) => [...epochs.keys()])));
    this.slider.max = String(this.last);
    if (this.follow && !this.timer) this.slider.value = String(this.last);
    this.draw();
  }

  listKinds(kinds) {
    this.listed = kinds.join();
    const name = newId('previews');
    this.choice.replaceChildren(...kinds.map((kind) => {
      const input = h('input', { type: 'radio', name, value: kind, onchange: () => { this.kind = kind; this.draw(); } });
      input.checked = kind === this.kind;
      return h('label', {}, input, kind);
    }));
  }

  onSlide() {
    this.follow = Number(this.slider.value) === this.last;
    this.draw();
  }

  draw() {
    const epoch = Number(this.slider.value);
    setText(this.label, String(epoch));
    this.slider.setAttribute('aria-valuetext', `epoch ${epoch}`);
    for (const { job, picture, at, node } of this.figures) {
      const epochs = this.pictures.get(job.id)?.get(this.kind) ?? new Map();
      const shown = epochShown([...epochs.keys()].sort((a, b) => a - b), epoch);
      node.classList.toggle('none', shown === null);
      setText(at, shown === null ? ' nothing of this' : shown === epoch ? '' : ` epoch ${shown}`);
      node.dataset.epoch = String(shown ?? '');
      if (shown !== null) picture.show(epochs.get(shown), `${jobName(job)}: ${this.kind} at epoch ${shown}`, this.signal).catch(() => {});
    }
  }

  // From the beginning, where it stands at the end.
  toggle() {
    if (this.timer) {
      this.stop();
      return;
    }
    if (Number(this.slider.value) === this.last) this.slider.value = '0';
    setText(this.play, 'Stop');
    this.draw();
    this.timer = setInterval(() => this.step(), FRAME_MS);
  }

  step() {
    this.slider.value = String(Number(this.slider.value) + 1);
    this.onSlide();
    if (this.follow) this.stop();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    setText(this.play, 'Play');
  }
}

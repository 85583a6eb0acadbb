// panels/judge.js: what the judge says of a model's samples, when asked: figures beside those of real images, classes, a picture.

import { get, picture, query } from '../lib/api.js';
import { complain, h, newId, setText, show } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { Picture } from '../lib/picture.js';

const COUNTS = [1000, 10000];
const SEED = 1;
const SHOWN = 1000; // samples that the picture is chosen from
const K = 10; // a class has about 1/K of the samples; bars are twice as long

const plain = (value) => (value === null ? '–' : Number(value.toPrecision(3)).toString());
const share = (value) => `${(100 * value).toFixed(1)} %`;

// name, what it is worth of this model, what real images have, what it means
const FIGURES = [
  ['FCD', (s) => plain(s.fcd), (s) => plain(s.fcd_floor), 'Fréchet distance of features to those of the test images; less is better. It falls with the number of samples: so does that of real images.'],
  ['FCD without limit', (s) => plain(s.fcd_inf), () => '0', 'The same, extrapolated to infinitely many samples.'],
  ['KID', (s) => `${plain(s.kid)} ± ${plain(s.kid_sd)}`, () => '0', 'Kernel distance of features; less is better.'],
  ['precision', (s) => share(s.precision), () => '≈ 95 %', 'Samples among the neighbours of a test image: do they look real?'],
  ['recall', (s) => share(s.recall), () => '≈ 95 %', 'Test images among the neighbours of a sample.'],
  ['density', (s) => plain(s.density), () => '≈ 1', 'How many test images have a sample as their neighbour, in shares of how many would.'],
  ['coverage', (s) => share(s.coverage), () => '≈ 97 %', 'Test images with a sample among their neighbours: is all there that is real?'],
  ['duplicates', (s) => share(s.duplicate_share), () => '≈ 1 %', 'Samples that are nearer to another one than nearly all test images are to each other.'],
  ['diversity', (s) => plain(s.diversity), () => '≈ 1', 'How much features vary, in shares of how they do over the test images.'],
  ['classifier score', (s) => plain(s.classifier_score), () => '', 'From 1 (all alike, or nothing recognised) to the number of classes.'],
  ['unsure', (s) => share(s.unsure_share), () => '', 'Samples that the judge cannot tell the class of: the largest probability is below one half.'],
];

export class JudgePanel {
  constructor(job, signal) {
    this.model = `v1/models/${job.id}`;
    this.job = job;
    this.signal = signal;
    const id = newId('judge');
    this.choice = h('select', { 'aria-label': 'Samples to judge' }, COUNTS.map((n) => h('option', { value: n }, `${count(n)} samples`)));
    this.button = h('button', { type: 'button', class: 'small', onclick: () => this.score() }, 'Score');
    this.hint = h('p', { class: 'hint', role: 'status' }, 'A small classifier of this data set looks at new images, beside real ones.');
    this.body = h('div', { hidden: true });
    this.picture = new Picture('Samples of each class: none yet', 'classes');
    this.node = h('section', { class: 'card judge-panel', 'aria-labelledby': id, hidden: true },
      h('div', { class: 'head' }, h('h2', { id }, 'Judge'), h('div', { class: 'controls' }, this.choice, this.button)),
      this.hint, this.body, this.picture.node);
    show(this.picture.node, false);
  }

  /** The model as GET /v1/models tells it, again whenever it may have changed. */
  set({ abilities, epoch }) {
    if (!abilities.includes('sample')) return;
    if (this.epoch === undefined) this.open().catch(() => {});
    else if (this.scored !== undefined && this.scored !== epoch) setText(this.hint, `Of epoch ${this.scored}; the weights are of epoch ${epoch} now.`);
    this.epoch = epoch;
  }

  /** There is one for the data set that it knows. */
  async open() {
    const { evaluator } = await get('v1/info', this.signal);
    show(this.node, evaluator.dataset_sha256 === this.job.dataset_sha256);
  }

  async score() {
    this.button.disabled = true;
    setText(this.hint, 'Looking at new images …');
    const { epoch } = this;
    try {
      const score = await query(`${this.model}/score`, { count: Number(this.choice.value), seed: SEED }, this.signal);
      this.tell(score, epoch);
      const { blob } = await picture(`${this.model}/classes.png?count=${SHOWN}&seed=${SEED}`, { signal: this.signal });
      this.picture.draw(await createImageBitmap(blob), 'The most certain samples of each class');
      show(this.picture.node, true);
    } catch (problem) {
      setText(this.hint, problem.name === 'AbortError' ? '' : problem.message);
      complain(problem);
    } finally {
      this.button.disabled = false;
    }
  }

  tell(score, epoch) {
    this.scored = epoch;
    setText(this.hint, `${count(score.count)} samples, codes by distribution ${score.distribution}, epoch ${epoch}.`);
    this.body.replaceChildren(this.figures(score), h('h3', {}, 'Classes'), this.classes(score));
    show(this.body, true);
  }

  figures(score) {
    return h('div', { class: 'scroll class-figures', tabindex: '0', role: 'region', 'aria-label': 'Figures of the judge' }, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'figure'), h('th', { scope: 'col', class: 'num' }, 'here'),
        h('th', { scope: 'col', class: 'num' }, 'real images'))),
      h('tbody', {}, FIGURES.map(([name, here, real, help]) => h('tr', { title: help }, h('th', { scope: 'row' }, name),
        h('td', { class: 'num' }, here(score)), h('td', { class: 'num quiet' }, real(score)))))));
  }

  classes({ class_shares: shares }) {
    const bar = (value) => {
      const node = h('span', { class: 'bar-share' });
      node.style.setProperty('--share', String(Math.min(1, value * K / 2)));
      return node;
    };
    return h('div', { class: 'scroll class-figures', tabindex: '0', role: 'region', 'aria-label': 'Share of each class' }, h('table', {},
      h('tbody', {}, Object.entries(shares).map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name),
        h('td', {}, bar(value), h('span', { class: 'num' }, share(value))))))));
  }
}

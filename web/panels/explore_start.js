// panels/explore_start.js: codes to begin from: the mean, a class, a seed, a test image, a picture of one's own.

import { get, query } from '../lib/api.js';
import { h, setText, show } from '../lib/dom.js';

const whole = (input, most = Number.MAX_SAFE_INTEGER) => Math.min(most, Math.max(0, Math.trunc(Number(input.value)) || 0));

export class StartPanel {
  /** onStart(z, anchor): {split, index}, {file, bitmap, blob}, {words}; modelPath(): of what is shown; onScale(share). */
  constructor(signal, { modelPath, onStart, onScale }) {
    Object.assign(this, { signal, modelPath, onStart, onScale });
    const button = (text, onclick, label) => h('button', { type: 'button', class: 'small', 'aria-label': label, onclick }, text);
    const number = (name, go) => h('input', { type: 'text', inputmode: 'numeric', value: '0', 'aria-label': name, onchange: go });
    this.seed = number('Seed', () => this.fromSeed());
    this.index = number('Test image', () => this.fromImage());
    this.classes = h('select', { 'aria-label': 'Mean of a class', onchange: () => this.fromClass() });
    this.mean = button('Mean', () => this.fromMean());
    this.image = h('span', { class: 'stepper' }, 'image',
      button('◀', () => this.step(this.index, -1, () => this.fromImage()),
      'Image before'), this.index,
      button('▶', () => this.step(this.index, 1, () => this.fromImage()), 'Next image'));
    this.seeds = h('span', { class: 'stepper' }, 'seed',
      button('◀', () => this.step(this.seed, -1, () => this.fromSeed()), 'Seed before'),
      this.seed,
      button('▶', () => this.step(this.seed, 1, () => this.fromSeed()), 'Next seed'),
      button('Random', () => { this.seed.value = String(Math.floor(Math.random() * 1e6)); this.fromSeed(); }));
    this.file = h('input', { type: 'file', accept: 'image/png,.png', 'aria-label': 'A PNG of your own',
      onchange: () => this.fromFile(this.file.files[0]) });
    this.drop = h('label', { class: 'explore-drop', hidden: true }, h('span', {}, 'Drop a PNG anywhere here, or choose one: '), this.file);
    this.scale = h('input', { type: 'range', min: '0', max: '1.5', step: '0.01', value: '1', 'aria-label': 'Truncation',
      oninput: () => this.truncate() });
    this.scaleOut = h('output', { class: 'num' }, '1.00');
    this.truncation = h('label', { class: 'slider-row', hidden: true,
      title: 'Length of the code, as a share of what it was drawn with: shorter ones look more alike, and are more often good' },
      h('span', {}, 'truncation'), this.scale, this.scaleOut);
    this.note = h('p', { class: 'hint', role: 'status', hidden: true });
    this.error = h('p', { class: 'error detail', role: 'alert', hidden: true });
    this.node = h('div', { class: 'explore-start' }, h('div', { class: 'controls' }, this.image, this.seeds, this.mean, this.classes),
      this.truncation, this.drop, this.note, this.error);
  }

  /** What the model can do says what there is to begin from. */
  setModel(model, { classes, dataset }) {
    const can = (ability) => model.abilities.includes(ability);
    Object.assign(this, { dataset, codes: model.z, size: model.image });
    show(this.image, can('encode'));
    show(this.drop, can('encode'));
    show(this.classes, can('encode') && classes.length > 0);
    show(this.mean, Boolean(model.z));
    show(this.seeds, can('sample'));
    show(this.truncation, !can('encode'));
    if (this.classes.length !== classes.length + 1) {
      this.classes.replaceChildren(h('option', { value: '' }, 'a class…'), ...classes.map((name, k) => h('option', { value: k }, name)));
    }
  }

  step(input, way, go) {
    input.value = String(Math.max(0, whole(input) + way));
    go();
  }

  /** `ask()` → [z, anchor]; of several, the last one counts. */
  async begin(ask) {
    const turn = this.turn = (this.turn ?? 0) + 1;
    this.say('');
    show(this.note, false);
    try {
      const [z, anchor] = await ask();
      if (turn !== this.turn) return;
      this.scale.value = '1';
      setText(this.scaleOut, '1.00');
      this.onStart(z, anchor);
    } catch (problem) {
      if (turn === this.turn && problem.name !== 'AbortError') this.say(problem.message);
    }
  }

  say(text) {
    setText(this.error, text);
    show(this.error, text !== '');
  }

  fromMean() {
    this.begin(async () => [[...this.codes.mean], { words: 'mean of the training codes' }]);
  }

  fromClass() {
    const { value } = this.classes;
    if (value === '') return;
    this.begin(async () => {
      const { classes } = await get(`${this.modelPath()}/latents/stats`, this.signal);
      const group = classes.find((each) => each.class === Number(value));
      return [group.mean, { words: `mean of ${group.label}` }];
    });
  }

  fromSeed() {
    const seed = whole(this.seed);
    this.seed.value = String(seed);
    return this.begin(async () => {
      const { z } = await query(`${this.modelPath()}/sample`, { count: 1, seed }, this.signal);
      return [z[0], { words: `seed ${seed}` }];
    });
  }

  fromImage() {
    const index = whole(this.index);
    this.index.value = String(index);
    return this.begin(() => this.codeOf('test', index));
  }

  async codeOf(split, index) {
    const { z } = await query(`${this.modelPath()}/encode`, { dataset: this.dataset, split, indices: [index] }, this.signal);
    return [z[0], { split, index }];
  }

  /** A picture of one's own. What is wrong with it the daemon says best. */
  fromFile(file) {
    if (!file || this.drop.hidden) return;
    this.begin(async () => {
      const { z } = await query(`${this.modelPath()}/encode`, file, this.signal, 'image/png');
      const [, height, width] = this.size;
      if (z.length > 1) setText(this.note, `Read as ${z.length} images of ${width} × ${height}, side by side; this is the first.`);
      show(this.note, z.length > 1);
      return [z[0], { file: file.name, bitmap: createImageBitmap(file, 0, 0, width, height), blob: file }];
    });
    this.file.value = '';
  }

  /** Takes what is dropped on `node`. */
  takeDrops(node) {
    node.addEventListener('dragover', (event) => { event.preventDefault(); node.classList.add('over'); });
    node.addEventListener('dragleave', (event) => { if (!node.contains(event.relatedTarget)) node.classList.remove('over'); });
    node.addEventListener('drop', (event) => {
      event.preventDefault();
      node.classList.remove('over');
      this.fromFile(event.dataTransfer.files[0]);
    });
  }

  truncate() {
    setText(this.scaleOut, Number(this.scale.value).toFixed(2));
    this.scale.setAttribute('aria-valuetext', this.scaleOut.textContent);
    this.onScale(Number(this.scale.value));
  }

  /** The code of an anchor with other weights; null: it has none. */
  async again(anchor) {
    if (anchor?.split) return (await this.codeOf(anchor.split, anchor.index))[0];
    if (!anchor?.blob) return null;
    return (await query(`${this.modelPath()}/encode`, anchor.blob, this.signal, 'image/png')).z[0];
  }
}

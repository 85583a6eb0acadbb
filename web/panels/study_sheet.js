// panels/study_sheet.js: what the trials paint: the newest samples of each, side by side, live; and the whole study as one picture.

import { download, url } from '../lib/api.js';
import { complain, h, setText, show } from '../lib/dom.js';
import { loss } from '../lib/format.js';
import { Picture } from '../lib/picture.js';
import { isNumber, signOf, telling } from '../lib/trials.js';
import { paramText, trialName } from './study_words.js';

const MOST = 24; // trials whose samples are shown: of a search the best, of a grid the first
const SAMPLES = 36; // of each: of the same seed, so that they may be compared

/** Which trials, in which order: as they come where all combinations are taken, else the best first. */
export function gallery(trials, { direction, grid }) {
  const painted = trials.filter(({ job, epochs }) => job && epochs > 0);
  const sign = signOf(direction);
  const worth = ({ value }) => (isNumber(value) ? sign * value : Infinity);
  return (grid ? painted : [...painted].sort((a, b) => worth(a) - worth(b))).slice(0, MOST);
}

export class GalleryPanel {
  /** `after`: the jobs that follow each trial, as the study was asked for. */
  constructor({ onMark, signal, grid, after }) {
    Object.assign(this, { onMark, signal, grid, cells: new Map(), plots: [] });
    this.names = after.map(({ kind, preset, params }) => [kind, preset, ...Object.values(params ?? {})
      .filter((value) => typeof value === 'string')].filter(Boolean).join(' '));
    this.list = h('div', { class: 'gallery' });
    this.node = h('section', { class: 'card', 'aria-labelledby': 'gallery-title', hidden: true },
      h('h2', { id: 'gallery-title' }, 'Newest samples of the trials'), this.list);
  }

  set(study) {
    const shown = gallery(study.trials, { direction: study.direction, grid: this.grid });
    const names = telling(study.axes).map(({ name }) => name).slice(0, 3);
    show(this.node, shown.length > 0);
    const cells = shown.map((trial) => this.cell(trial, names, study.after.filter(({ of }) => of === trial.number)));
    if (cells.some((cell, i) => cell !== this.list.children[i])
      || cells.length !== this.list.children.length) this.list.replaceChildren(...cells);
  }

  cell(trial, names, after) {
    if (!this.cells.has(trial.number)) this.cells.set(trial.number, this.make(trial));
    const cell = this.cells.get(trial.number);
    setText(cell.name, names.map((name) => `${name} ${paramText(trial.params[name])}`).join(', ') || trialName(trial));
    setText(cell.value, `${loss(trial.value)} · epoch ${trial.epochs}`);
    if (cell.epochs !== trial.epochs) this.paint(cell, trial);
    if (cell.after.children.length !== after.length) cell.after.replaceChildren(...after.map(({ job, name }, i) => h('a',
      { href: `#/runs/${job}` }, this.names[i % this.names.length] ?? name)));
    return cell.node;
  }

  make(trial) {
    const picture = new Picture(`samples of trial ${trial.number}`, 'gallery-picture');
    const [name, value] = [h('span', { class: 'strong' }), h('span', { class: 'quiet' })];
    const after = h('span', { class: 'gallery-after' });
    const node = h('div', { class: 'gallery-cell', onpointerenter: () => this.onMark(trial.number),
      onpointerleave: () => this.onMark(null) },
      h('a', { href: `#/runs/${trial.job}` }, picture.node, name), value, after);
    return { node, picture, name, value, after, epochs: 0 };
  }

  // The same address is another picture after the next epoch.
  paint(cell, trial) {
    cell.epochs = trial.epochs;
    cell.picture.kept.clear();
    cell.picture.show(`v1/models/${trial.job}/samples.png?count=${SAMPLES}&cols=6&seed=1`,
      `samples of trial ${trial.number} after epoch ${trial.epochs}`, this.signal).catch(() => { cell.epochs = 0; });
  }

  mark(number) {
    for (const [key, { node }] of this.cells) node.classList.toggle('on', key === number);
  }

  keep(kept) {
    for (const [key, { node }] of this.cells) node.classList.toggle('off', kept !== null && !kept.has(key));
  }

  close() {}
}

export class SheetPanel {
  constructor(path, signal, open) {
    Object.assign(this, { path, signal, plots: [], at: '' });
    this.picture = new Picture('The study as one sheet', 'study-sheet');
    this.said = h('p', { class: 'quiet' }, 'Not painted yet.');
    const file = h('a', { href: url(`${path}/sheet.png`), download: 'sheet.png', onclick: (event) => {
      event.preventDefault();
      download(`${path}/sheet.png`, 'sheet.png').catch(complain);
    } }, 'sheet.png');
    this.details = h('details', { open, ontoggle: () => this.paint() }, h('summary', {}, 'The study as one sheet'),
      h('p', { class: 'links' }, file), this.said,
      h('div', { class: 'sheet-scroll', tabindex: '0', role: 'region', 'aria-label': 'Sheet' }, this.picture.node));
    this.node = h('section', { class: 'card sheet', 'aria-label': 'Sheet', hidden: true }, this.details);
    show(this.picture.node, false);
  }

  set(study) {
    const ended = study.trials.filter(({ state }) => state === 'complete' || state === 'pruned').length;
    show(this.node, ended > 0);
    this.wanted = `${ended} ${study.status} ${study.after.filter(({ state }) => state === 'complete').length}`;
    this.paint();
  }

  async paint() {
    if (!this.details.open || this.node.hidden || this.wanted === this.at) return;
    this.at = this.wanted;
    this.picture.kept.clear();
    try {
      await this.picture.show(`${this.path}/sheet.png`,
        'The study as one sheet: how the objective went, figures, reconstructions and samples', this.signal);
      show(this.picture.node, true);
      show(this.said, false);
    } catch (problem) {
      if (problem.name !== 'AbortError') setText(this.said, problem.message);
    }
  }

  mark() {}
  keep() {}
  close() {}
}

// panels/study_slices.js: each parameter against the value, two against each other, and how much each had to do with being good.

import { h, setText, show, svg } from '../lib/dom.js';
import { loss } from '../lib/format.js';
import { Plot, sign } from '../lib/plot.js';
import { isNumber, onAxis, place, signOf, telling } from '../lib/trials.js';
import { paramText } from './study_words.js';

/** 1 for the best trial … 0 for the worst, by rank: one that went astray does not make all others alike. */
export function ranks(trials, direction) {
  const judged = trials.filter(({ value }) => isNumber(value)).sort((a, b) => signOf(direction) * (a.value - b.value));
  return new Map(judged.map((trial, i) => [trial.number, judged.length > 1 ? 1 - i / (judged.length - 1) : 1]));
}

export class SlicesPanel {
  constructor(handlers) {
    this.handlers = handlers;
    this.plots = [];
    this.names = '';
    this.grid = h('div', { class: 'slices' });
    this.node = h('section', { class: 'card', 'aria-labelledby': 'slices-title', hidden: true },
      h('h2', { id: 'slices-title' }, 'Each parameter against the value'), this.grid);
  }

  set(study) {
    this.study = study;
    const axes = telling(study.axes);
    const names = axes.map(({ name }) => name).join();
    if (names !== this.names) this.rebuild(axes, names);
    show(this.node, axes.length > 0 && study.trials.some(({ value }) => isNumber(value)));
    this.plots.forEach((plot) => plot.update());
  }

  rebuild(axes, names) {
    this.names = names;
    this.plots.forEach((plot) => plot.close());
    this.plots = axes.map(({ name }) => new Plot({ name: `slice-${name}`, label: `${name} against the value`, height: 170,
      draw: (plot) => this.draw(plot, name), ...this.handlers }));
    this.grid.replaceChildren(...this.plots.map((plot, i) => h('figure', {}, plot.node,
      h('figcaption', { class: 'offscreen' }, axes[i].name))));
  }

  draw(plot, name) {
    const { trials, axes, value, metric } = this.study;
    const axis = axes.find((one) => one.name === name);
    if (!axis) return;
    const box = plot.axes(axis, value, { left: 52, top: 6, yRoom: 4 });
    const judged = trials.filter((trial) => isNumber(trial.value) && place(axis, onAxis(trial, axis)) !== null);
    for (const trial of judged) {
      const [px, py] = [box.x(place(axis, trial.params[name])), box.y(place(value, trial.value))];
      plot.item(trial.number, sign(trial.state, px, py, 3.5), [[px, py]],
        `trial ${trial.number}: ${name} ${paramText(trial.params[name])}, ${loss(trial.value)}`);
    }
    plot.describe(`${metric} against ${name}: ${judged.length} trials`);
  }
}

/** Two parameters against each other, the colour says how good. */
export class PairPanel {
  constructor(handlers) {
    this.plot = new Plot({ name: 'pair', label: 'Two parameters against each other', height: 260, draw: (plot) => this.draw(plot),
      ...handlers });
    this.plots = [this.plot];
    const choice = (label) => h('select', { 'aria-label': label, onchange: () => { this.chosen = true; this.plot.update(); } });
    [this.across, this.up] = [choice('Parameter across'), choice('Parameter up')];
    this.node = h('section', { class: 'card', 'aria-labelledby': 'pair-title', hidden: true },
      h('div', { class: 'head' }, h('h2', { id: 'pair-title' }, 'Two parameters'), this.plot.save),
      h('div', { class: 'controls' }, h('label', {}, 'across', this.across), h('label', {}, 'up', this.up),
        h('span', { class: 'ramp' }, 'best', h('i', { 'aria-hidden': 'true' }), 'worst')), this.plot.node);
  }

  /** `important`: names, the one that matters most first. */
  set(study, important) {
    this.study = study;
    const names = telling(study.axes).map(({ name }) => name);
    show(this.node, names.length > 1);
    if (names.length < 2) return;
    if (names.join() !== this.names) {
      this.names = names.join();
      for (const select of [this.across, this.up]) select.replaceChildren(...names.map((name) => h('option', { value: name }, name)));
    }
    if (!this.chosen) [this.across.value, this.up.value] = [...important.filter((name) => names.includes(name)), ...names]
      .filter((name, i, all) => all.indexOf(name) === i);
    this.plot.update();
  }

  draw(plot) {
    const { trials, axes, direction } = this.study ?? {};
    const [x, y] = [this.across.value, this.up.value].map((name) => axes?.find((one) => one.name === name));
    if (!x || !y) return;
    const box = plot.axes(x, y, { left: 64 });
    plot.add(svg('text', { class: 'plot-name', x: box.left, y: 10 }, y.name));
    const rank = ranks(trials, direction);
    const shown = trials.filter((trial) => rank.has(trial.number) && place(x, trial.params[x.name]) !== null
      && place(y, trial.params[y.name]) !== null)
      .sort((a, b) => rank.get(a.number) - rank.get(b.number));
    for (const trial of shown) {
      const [px, py] = [box.x(place(x, trial.params[x.name])), box.y(place(y, trial.params[y.name]))];
      const node = svg('circle', { class: 'ranked', cx: px, cy: py, r: 5.5 });
      node.style.setProperty('--rank', String(rank.get(trial.number)));
      plot.item(trial.number, node, [[px, py]],
        `trial ${trial.number}: ${x.name} ${paramText(trial.params[x.name])}, ${y.name} ${paramText(trial.params[y.name])}: ${loss(trial.value)}`);
    }
    plot.describe(`${x.name} against ${y.name}: ${shown.length} trials`);
  }
}

/** Bars: how much each parameter had to do with a trial being among the best. */
export class ImportancePanel {
  constructor() {
    this.bars = h('ol', { class: 'importance' });
    this.hint = h('p', { class: 'hint' });
    this.node = h('section', { class: 'card', 'aria-labelledby': 'importance-title' },
      h('h2', { id: 'importance-title' }, 'What mattered'), this.bars, this.hint);
  }

  /** `rows`: [{name, importance}], or null with `why` there are none yet. */
  set(rows, why, trials) {
    show(this.bars, rows !== null);
    setText(this.hint, rows ? `Share of each parameter in being among the best (PED-ANOVA of ${trials} complete trials)${trials < 30 ? '; a rough one with so few of them' : ''}.` : why);
    if (!rows) return;
    const most = Math.max(...rows.map(({ importance }) => importance), 1e-9);
    this.bars.replaceChildren(...rows.map(({ name, importance }) => {
      const bar = h('span', { class: 'importance-bar', 'aria-hidden': 'true' });
      bar.style.setProperty('--share', String(importance / most));
      return h('li', {}, h('span', { class: 'importance-name' }, name), bar,
        h('span', { class: 'num' }, `${(100 * importance).toFixed(importance < 0.1 ? 1 : 0)} %`));
    }));
  }
}

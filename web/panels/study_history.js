// panels/study_history.js: the values of the trials in the order in which they came, the best so far, the baseline.

import { h, svg } from '../lib/dom.js';
import { loss } from '../lib/format.js';
import { Plot, sign } from '../lib/plot.js';
import { bestSoFar, isNumber, place, valueAxis } from '../lib/trials.js';

const wordsOf = (trial) => `trial ${trial.number}: ${isNumber(trial.value) ? loss(trial.value) : trial.state}${trial.state === 'pruned' ? ', pruned' : ''}`;

export class HistoryPanel {
  constructor({ onMark, onPick }) {
    this.plot = new Plot({ name: 'history', label: 'Values of the trials: none yet', height: 270, draw: (plot) => this.draw(plot),
      onMark, onPick });
    this.plots = [this.plot];
    this.legend = h('p', { class: 'plot-legend' });
    this.node = h('section', { class: 'card', 'aria-labelledby': 'history-title' },
      h('div', { class: 'head' }, h('h2', { id: 'history-title' }, 'History'), this.plot.save), this.legend, this.plot.node);
  }

  set(study) {
    this.study = study;
    this.legend.replaceChildren(...[['complete', 'complete'], ['pruned', 'pruned'], ['running', 'running'], ['failed', 'without a value']]
      .filter(([state]) => study.trials.some((trial) => (state === 'failed' ? !isNumber(trial.value) && trial.state !== 'running'
        && trial.state !== 'waiting' : trial.state === state)))
      .map(([state, text]) => h('span', {}, svg('svg', { width: '14', height: '14', 'aria-hidden': 'true' }, sign(state, 7, 7)), text)),
      h('span', {}, h('span', { class: 'line-key best' }), 'best so far'), study.baseline
        ? h('span', {}, h('span', { class: 'line-key base' }), 'baseline') : '');
    this.plot.update();
  }

  draw(plot) {
    const { trials, metric, direction, baseline } = this.study ?? { trials: [] };
    if (!trials.length) return;
    const last = Math.max(trials.at(-1).number, 1);
    const x = { name: 'trial', low: 0, high: last, log: false, whole: true };
    const y = valueAxis(metric, [...trials, ...(baseline ? [baseline] : [])]);
    const box = plot.axes(x, y);
    this.lines(plot, box, { x, y });
    for (const trial of trials) {
      const px = box.x(place(x, trial.number));
      const py = isNumber(trial.value) ? box.y(place(y, trial.value)) : box.bottom - 6;
      plot.item(trial.number, sign(trial.state, px, py, isNumber(trial.value) ? 4 : 3), [[px, py]], wordsOf(trial));
    }
    const best = bestSoFar(trials, direction).at(-1);
    plot.describe(`${metric} of ${trials.length} trials${best === null ? ', none complete yet' : `, the best so far ${loss(best)}`}${baseline ? `, the baseline ${loss(baseline.value)}` : ''}`);
  }

  lines(plot, box, { x, y }) {
    const { trials, direction, baseline } = this.study;
    if (baseline) {
      const at = box.y(place(y, baseline.value));
      plot.add(svg('line', { class: 'plot-baseline', x1: box.left, x2: box.right, y1: at, y2: at }));
    }
    const path = [];
    bestSoFar(trials, direction).forEach((best, i) => {
      if (best === null) return;
      const [px, py] = [box.x(place(x, trials[i].number)), box.y(place(y, best))];
      path.push(path.length ? `H${px}V${py}` : `M${px},${py}`);
    });
    if (path.length) plot.add(svg('path', { class: 'plot-best', d: path.join('') }));
  }
}

// panels/study.js: what a study has tried: its trials by value, how it went, the sheet.

import { get } from '../lib/api.js';
import { h, show } from '../lib/dom.js';
import { loss } from '../lib/format.js';
import { Picture } from '../lib/picture.js';

const SHOWN = 200;

export class StudyPanel {
  constructor(path, signal) {
    this.path = path;
    this.signal = signal;
    this.best = h('p', { class: 'hint' });
    this.body = h('tbody');
    this.more = h('p', { class: 'hint', hidden: true });
    this.history = new Picture('Values of the trials, and the best so far', 'study-history');
    this.sheet = new Picture('The study as one sheet', 'study-sheet');
    this.table = h('div', { class: 'wide-table' }, h('table', { class: 'trials', 'aria-label': 'Trials, the best first' },
      h('thead', {}, h('tr', {}, ['Trial', 'State', 'Value', 'Parameters'].map((text) => h('th', { scope: 'col' }, text)))), this.body));
    this.node = h('section', { class: 'card study-panel', 'aria-labelledby': 'study-title' }, h('h2', { id: 'study-title' }, 'Trials'),
      this.best, this.history.node, this.table, this.more, this.sheet.node);
  }

  /** Read anew when one more has ended. */
  async update(job) {
    const at = `${job.status} ${job.progress?.epoch ?? 0}`;
    if (at === this.at) return;
    this.at = at;
    const { data, metric, direction } = await get(`${this.path}/trials`, this.signal);
    this.list(data, direction);
    await this.sayBest(metric);
    await this.draw(this.history, `${this.path}/history.png`, 'Values of the trials, and the best so far');
    await this.draw(this.sheet, `${this.path}/sheet.png`, 'The study as one sheet');
  }

  // Not kept: the same address is another picture later.
  async draw(picture, path, label) {
    picture.kept.clear();
    await picture.show(path, label, this.signal).catch(() => {});
  }

  list(data, direction) {
    const sign = direction === 'maximize' ? -1 : 1;
    const worth = (trial) => (trial.value === null ? Infinity : sign * trial.value);
    const trials = data.filter(({ phase }) => phase !== 'after').sort((a, b) => worth(a) - worth(b) || a.number - b.number);
    this.body.replaceChildren(...trials.slice(0, SHOWN).map((trial) => this.row(trial)));
    show(this.more, trials.length > SHOWN);
    this.more.textContent = `and ${trials.length - SHOWN} more: ${this.path}/trials.csv`;
  }

  row(trial) {
    const name = trial.phase === 'retrain' ? `${trial.of}, seed ${trial.seed}` : `${trial.number}`;
    const params = Object.entries(trial.params).map(([key, value]) => `${key} ${typeof value === 'number' ? Number(value.toPrecision(4)) : JSON.stringify(value)}`);
    return h('tr', { class: trial.state },
      h('th', { scope: 'row' }, trial.job ? h('a', { href: `#/runs/${trial.job}` }, name) : name),
      h('td', {}, trial.state), h('td', { class: 'num' }, loss(trial.value)),
      h('td', { class: 'quiet', title: trial.reason ?? '' }, trial.reason ?? params.join(', ')));
  }

  async sayBest(metric) {
    const best = await get(`${this.path}/best`, this.signal).catch(() => null);
    show(this.best, best !== null);
    if (!best) return;
    const mean = best.best.n > 1 ? `, the mean of ${best.best.n}` : '';
    const gained = best.relative_improvement === null || best.best.trial === best.baseline.trial ? ''
      : `, ${(100 * best.relative_improvement).toFixed(1)} % better than the baseline (${loss(best.baseline.value)})`;
    this.best.replaceChildren(`Best: trial ${best.best.trial}, ${metric} ${loss(best.best.value)}${mean}${gained}. `,
      best.job ? h('a', { href: `#/runs/${best.job}` }, 'Its model') : '');
  }
}

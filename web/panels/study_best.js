// panels/study_best.js: the best trial of a study: what it is worth, what it is made of, and one click that trains it in full.

import { get, post } from '../lib/api.js';
import { action } from '../lib/action.js';
import { h, setText, show } from '../lib/dom.js';
import { Field, sayProblem } from '../lib/form.js';
import { loss } from '../lib/format.js';
import { request } from '../lib/request.js';
import { paramText } from './study_words.js';

const plusMinus = ({ value, std }) => (std === null ? loss(value) : `${loss(value)} ± ${loss(std)}`);

/** The request that trains a trial's run again, in full: {epochs, seeds, name} beside what the run was. */
export function retraining(kind, job, { epochs, seeds, name }) {
  const body = request(kind, { ...job, name, seed: seeds.length === 1 ? seeds[0] : 0, params: { ...job.params, epochs } });
  return seeds.length > 1 ? { ...body, seeds } : body;
}

export class BestPanel {
  /** `base`: the kind of the trials; `epochs`: what a full training has. */
  constructor(base, epochs, { onMark, signal }) {
    Object.assign(this, { base, signal, onMark, plots: [], at: '' });
    this.value = h('p', { class: 'best-value' });
    this.against = h('p', { class: 'best-against' });
    this.params = h('dl', { class: 'params' });
    this.links = h('p', { class: 'links' });
    const field = (name, schema) => new Field(name, { pointer: `#/${name}`, ...schema }, () => {});
    this.fields = [field('epochs', { type: 'integer', pointer: '#/params/epochs', default: epochs, description: '' }),
      field('seeds', { type: 'array', default: [0], description: 'Several: a study of repeats with mean and band.' }),
      field('name', { type: 'string', default: '', description: '' })];
    this.retrain = action({ text: 'Train it', cls: 'primary', onclick: () => this.send(),
      request: () => ({ path: 'v1/jobs', body: this.body() }) });
    this.form = h('details', { class: 'retrain control', open: true }, h('summary', {}, 'Train it again, in full'),
      h('div', { class: 'edit-fields' }, this.fields.map(({ node }) => node), this.retrain.node));
    this.empty = h('p', { class: 'quiet' }, 'No trial is complete yet.');
    this.filled = h('div', { class: 'best-trial', hidden: true }, this.value, this.against, this.params, this.links, this.form);
    this.node = h('section', { class: 'card', 'aria-labelledby': 'best-title', onpointerenter: () => this.number !== undefined
      && onMark(this.number), onpointerleave: () => onMark(null) },
      h('h2', { id: 'best-title' }, 'Best so far'), this.empty, this.filled);
  }

  /** `found`: what GET …/best says, or null; `study`: its names for the model. */
  async set(found, { metric, name }) {
    show(this.empty, found === null);
    show(this.filled, found !== null);
    if (!found || JSON.stringify(found) === this.at) return;
    this.at = JSON.stringify(found);
    const { best, baseline } = found;
    this.number = best.trial;
    const { seed: _, ...params } = best.params;
    const alike = Object.keys(params).length === 0; // repeats: none of them is better than the others by what it is
    setText(this.node.querySelector('h2'), alike ? 'All repeats' : `${found.final ? 'Best' : 'Best so far'}: trial ${best.trial}`);
    show(this.against, !alike);
    this.value.replaceChildren(h('strong', {}, plusMinus(best)),
      h('span', { class: 'quiet' }, ` ${metric}${best.n > 1 ? `, mean of ${best.n} seeds` : ''}`));
    this.against.replaceChildren(...this.compared(found, baseline));
    this.params.replaceChildren(...Object.entries(params).map(([key, value]) => h('div', {}, h('dt', {}, key),
      h('dd', {}, paramText(value)))));
    this.fields[2].rebase(`${name}-best`);
    await this.setJob(found);
  }

  compared({ best, final, improvement, relative_improvement: share }, baseline) {
    if (!baseline || improvement === null) return [final ? 'There is no baseline to compare with.'
      : 'The baseline has not been measured the same way yet.'];
    if (best.trial === baseline.trial) return [final ? 'The baseline itself: nothing was better.' : 'The baseline itself, so far.'];
    return [h('strong', { class: improvement > 0 ? 'good' : 'bad' },
      `${(100 * Math.abs(share)).toFixed(1)} % ${improvement > 0 ? 'better' : 'worse'}`),
      ` than the baseline, ${plusMinus(baseline)}`];
  }

  async setJob({ job, name }) {
    show(this.form, Boolean(job));
    if (!job) return this.links.replaceChildren('Its run has been deleted.');
    this.job = await get(`v1/jobs/${job}`, this.signal);
    this.links.replaceChildren(h('a', { href: `#/runs/${job}` }, name || 'its run'),
      this.base.abilities.includes('decode') ? h('a', { href: `#/explore/${job}` }, 'explore it') : '',
      h('a', { href: `#/new/${this.job.kind}?like=${job}`, class: 'control' }, 'open it in the form'));
  }

  body() {
    const [epochs, seeds, name] = this.fields.map(({ value }) => value);
    return retraining(this.base, this.job, { epochs, seeds: seeds.length ? seeds : [0], name });
  }

  async send() {
    this.retrain.button.disabled = true;
    this.fields.forEach((field) => field.setError(''));
    try {
      const job = await post('v1/jobs', this.body());
      location.hash = `#/runs/${job.id}`;
    } catch (problem) {
      sayProblem(problem, this.fields);
    } finally {
      this.retrain.button.disabled = false;
    }
  }

  mark() {}
  keep() {}
  close() {}
}

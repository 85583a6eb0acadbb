// panels/new_fields.js: fields of the form that are more than a row of a schema: the data set with its images, the run that a new one
// goes on from, the runs it waits for.

import { get } from '../lib/api.js';
import { h, newId, setText, show } from '../lib/dom.js';
import { Field } from '../lib/form.js';
import { loss } from '../lib/format.js';
import { Picture } from '../lib/picture.js';
import { DEFAULTS } from '../lib/request.js';

const SHOWN = 14; // images of a data set

const COMMON = {
  name: { type: 'string', default: DEFAULTS.name, description: 'A word to find the run by, in URLs too; may stay empty.' },
  seed: { type: 'integer', default: DEFAULTS.seed, minimum: 0, maximum: 2 ** 53 - 1,
    description: 'Chooses the first weights and the order of images. The same seed gives the same bits.' },
};

/** What goes without saying, with its usual value: sent only where it differs. */
const MORE = {
  seeds: { type: 'array', default: [],
    description: 'Several, as 1, 2, 3: a study that repeats the run on each, with mean and band. None: one run, with the seed above.' },
  priority: { type: 'integer', default: 0, minimum: -1000, maximum: 1000, description: 'Higher goes first, then first come.' },
  time_limit_s: { type: 'integer', default: 0, minimum: 0, maximum: 100000000, unit: 'seconds',
    description: 'Ends as a stop does after so many seconds of training. 0: no limit.' },
  max_retries: { type: 'integer', default: 0, minimum: 0, maximum: 10,
    description: 'After a failure that may pass it is queued again, so often at most.' },
};

export const commonField = (name, onChange) => new Field(name, { pointer: `#/${name}`, ...(COMMON[name] ?? MORE[name]) }, onChange);

/** A choice of data sets, and what the chosen one looks like. */
export class DatasetField extends Field {
  constructor(datasets, onChange, signal) {
    const names = datasets.map((set) => set.name);
    const choices = names.length ? names : [DEFAULTS.dataset];
    super('dataset', { type: 'string', enum: choices, default: choices.includes(DEFAULTS.dataset) ? DEFAULTS.dataset : choices[0],
      pointer: '#/dataset',
      description: '' }, () => { this.paint(); onChange(); });
    Object.assign(this, { datasets, signal });
    this.picture = new Picture('', 'dataset-strip');
    this.input.after(this.picture.node);
    this.paint();
  }

  write(value) {
    if (![...this.input.options].some((option) => option.value === value)) this.input.append(h('option', { value }, value));
    super.write(value);
    if (this.datasets) this.paint();
  }

  paint() {
    const set = this.datasets.find(({ name }) => name === this.value);
    show(this.picture.node, Boolean(set && !set.error));
    setText(this.help, !set || set.error ? 'What to learn from.'
      : `${set.splits.train.toLocaleString('en-US')} images of ${set.height} × ${set.width}, ${set.classes.length} classes`);
    if (!set || set.error || this.painted === set.name) return;
    this.painted = set.name;
    this.picture.show(`v1/datasets/${encodeURIComponent(set.name)}/images.png?split=train&count=${SHOWN}&cols=${SHOWN}`,
      `images of ${set.name}`, this.signal)
      .catch(() => { this.painted = ''; });
  }
}

/** A run in a list: by name where that means this very run, with what it came to. */
function choicesOf(jobs) {
  const [refs, labels, names] = [[], {}, new Set()];
  for (const { id, name, kind, best } of jobs) {
    const ref = name && !names.has(name) ? name : id;
    names.add(name);
    refs.push(ref);
    labels[ref] = [name || id, kind, best && `${best.metric} ${loss(best.value)}`].filter(Boolean).join(' · ');
  }
  return { refs, labels };
}

/** The finished runs of the kinds that a new one goes on from, newest first, and the checkpoint of the chosen one. */
export class FromField extends Field {
  static async of(kind, onChange, signal) {
    const pages = await Promise.all(kind.from.map((name) => get(`v1/jobs?kind=${name}&status=succeeded&limit=100`, signal)));
    const jobs = pages.flatMap((page) => page.data).sort((a, b) => b.created_at_ms - a.created_at_ms);
    return new FromField(kind, choicesOf(jobs), onChange, signal);
  }

  constructor(kind, { refs, labels }, onChange, signal) {
    super('from', { type: 'string', enum: refs.length ? refs : [''], labels, default: refs[0] ?? '', pointer: '#/from',
      description: `The finished run that it goes on from: ${kind.from.join(' or ')}.` }, () => { this.readCheckpoints(); onChange(); });
    this.signal = signal;
    this.epoch = h('select', { 'aria-label': 'checkpoint of that run', onchange: this.changedBy },
      h('option', { value: 'best' }, 'best'), h('option', { value: 'last' }, 'last'));
    this.input.after(this.epoch);
    this.node.classList.add('from');
    this.readCheckpoints();
  }

  async readCheckpoints() {
    const ref = this.input.value;
    show(this.epoch, ref !== '');
    if (!ref || ref === this.read) return;
    this.read = ref;
    const { data } = await get(`v1/jobs/${encodeURIComponent(ref)}/checkpoints?limit=100&order=desc`, this.signal)
      .catch(() => ({ data: [] }));
    if (this.read !== ref) return;
    const { value } = this.epoch;
    this.epoch.replaceChildren(...['best', 'last', ...data.map(({ epoch }) => String(epoch))]
      .filter((one, i, all) => all.indexOf(one) === i)
      .map((one) => h('option', { value: one }, /^\d/.test(one) ? `epoch ${one}` : one)));
    this.choose(value);
  }

  choose(checkpoint) {
    if (![...this.epoch.options].some(({ value }) => value === checkpoint)) this.epoch.append(h('option', { value: checkpoint },
      checkpoint));
    this.epoch.value = checkpoint;
  }

  write(value) {
    const { job, checkpoint = 'best' } = typeof value === 'object' && value ? value
      : { job: String(value ?? '').replace(/@[^@]*$/, ''), checkpoint: /@([^@]*)$/.exec(value ?? '')?.[1] };
    if (![...this.input.options].some((option) => option.value === job)) this.input.append(h('option', { value: job }, job));
    this.input.value = job;
    if (!this.epoch) return;
    this.choose(String(checkpoint));
    this.readCheckpoints();
  }

  get value() {
    const ref = this.input.value;
    return ref && this.epoch && this.epoch.value !== 'best' ? `${ref}@${this.epoch.value}` : ref;
  }
}

/** Runs whose end it waits for: ids or names, and those that are there now in a click. */
export class DependsField extends Field {
  constructor(active, onChange) {
    super('depends_on', { type: 'array', default: [], pointer: '#/depends_on',
      description: 'It waits until these have succeeded: ids or names by commas.' }, onChange);
    const add = (ref) => {
      if (!this.value.includes(ref)) this.set([...this.value, ref]);
      this.changedBy();
    };
    const refs = choicesOf(active);
    this.help.after(h('span', { class: 'chips', id: newId('chips') }, refs.refs.slice(0, 6)
      .map((ref) => h('button', { type: 'button', class: 'chip', 'aria-label': `after ${ref}`, onclick: () => add(ref) }, `+ ${ref}`))));
  }

  /** Names may look like numbers. */
  get value() {
    return this.input.value.split(/[\s,]+/).filter(Boolean);
  }
}

// panels/checkpoints.js: what may be made of a run's checkpoints: a fork that goes on from one, and the proof that steps come out the same.

import { get, post, query } from '../lib/api.js';
import { complain, h, newId, setText, show } from '../lib/dom.js';
import { Field, sayProblem } from '../lib/form.js';
import { count } from '../lib/format.js';

/** In words; `difference` names the first place. */
export function verdictOf({ verified, checkpoint, steps, checkpoints, difference }) {
  if (verified) {
    const on = checkpoints ? ` and ${checkpoints === 1 ? 'the checkpoint' : `all ${checkpoints} checkpoints`} on the way` : '';
    return `${count(steps)} steps from epoch ${checkpoint}${on} come out as they did, bit by bit.`;
  }
  const { what, step, name, detail } = difference;
  return `Not the same: ${[what, name, `at step ${count(step)}`].filter(Boolean).join(' ')}${detail ? `: ${detail}` : ''}.`;
}

export class CheckpointsPanel {
  /** `onForked(job)`: another run has begun. */
  constructor(kind, path, signal, onForked) {
    Object.assign(this, { path, signal, onForked, listed: '' });
    const id = newId('checkpoint');
    this.choice = h('select', { id });
    // What may change while a run goes on is what one most often wants to change of it.
    const rows = Object.entries(kind.params.properties).filter(([, row]) => row.live);
    this.fields = new Map(rows.map(([name, row]) => [name, new Field(name, row, () => {})]));
    this.fork = h('button', { type: 'submit', class: 'small' }, 'Fork');
    this.verify = h('button', { type: 'button', class: 'small', onclick: () => this.check() }, 'Verify');
    this.result = h('p', { role: 'status', class: 'quiet' });
    this.node = h('form', { class: 'card edit', novalidate: true, 'aria-labelledby': `${id}-title`, hidden: true, onsubmit: (event) => this.send(event) },
      h('h2', { id: `${id}-title` }, 'Go on from a checkpoint'),
      h('div', { class: 'edit-fields' }, h('div', { class: 'field' }, h('label', { for: id }, 'checkpoint'), this.choice),
        this.fork, this.verify),
      h('details', {}, h('summary', {}, 'With other parameters'), h('div', { class: 'edit-fields' }, [...this.fields.values()].map((field) => field.node))),
      this.result);
  }

  async read() {
    const { data } = await get(`${this.path}/checkpoints?limit=100&order=desc`, this.signal);
    this.set(data.map(({ epoch }) => epoch));
  }

  set(epochs) {
    show(this.node, epochs.length > 0);
    const list = epochs.join();
    if (list === this.listed) return;
    this.listed = list;
    const { value } = this.choice;
    this.choice.replaceChildren(h('option', { value: 'best' }, 'best'), ...epochs.map((epoch) => h('option', { value: epoch }, `epoch ${epoch}`)));
    if (value && [...this.choice.options].some((option) => option.value === value)) this.choice.value = value;
  }

  /** A value that is being changed here stays as it is typed. */
  update(job) {
    for (const [name, field] of this.fields) if (name in job.params) field.rebase(job.params[name]);
  }

  get checkpoint() {
    const { value } = this.choice;
    return /^\d+$/.test(value) ? Number(value) : value;
  }

  async send(event) {
    event.preventDefault();
    const changed = [...this.fields].filter(([, field]) => field.changed);
    for (const field of this.fields.values()) field.setError('');
    try {
      this.onForked(await post(`${this.path}/fork`, { checkpoint: this.checkpoint, params: Object.fromEntries(changed.map(([name, field]) => [name, field.value])) }));
    } catch (problem) {
      sayProblem(problem, [...this.fields.values()]);
    }
  }

  async check() {
    this.verify.disabled = true;
    setText(this.result, 'Some of its steps are taken again…');
    try {
      setText(this.result, verdictOf(await query(`${this.path}/verify`, { checkpoint: this.checkpoint }, this.signal)));
    } catch (problem) {
      setText(this.result, '');
      complain(problem);
    } finally {
      this.verify.disabled = false;
    }
  }
}

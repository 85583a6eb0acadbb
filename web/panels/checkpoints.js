// panels/checkpoints.js: the checkpoints of a run: to take away, to look into, to go on from, and the proof that steps come out the same.

import { get, post, query } from '../lib/api.js';
import { action } from '../lib/action.js';
import { complain, h, newId, setText, show, toast } from '../lib/dom.js';
import { Field, sayProblem } from '../lib/form.js';
import { bytes, count, loss } from '../lib/format.js';
import { fileLink } from './files.js';

const VERIFY_MS = 600000; // steps are trained again
const FIRST = 100; // of them at a time

/** In words; `difference` names the first place. */
function verdictOf({ verified, checkpoint, steps, checkpoints, difference }) {
  if (verified) {
    const on = checkpoints ? ` and ${checkpoints === 1 ? 'the checkpoint' : `all ${checkpoints} checkpoints`} on the way` : '';
    return `${count(steps)} steps from epoch ${checkpoint}${on} come out as they did, bit by bit.`;
  }
  const { what, step, name, detail } = difference;
  return `Not the same: ${[what, name, `at step ${count(step)}`].filter(Boolean).join(' ')}${detail ? `: ${detail}` : ''}.`;
}

export class CheckpointsPanel {
  /** `onForked(job)`: another run has begun. */
  constructor(kind, job, path, signal, onForked) {
    Object.assign(this, { kind, job, path, signal, onForked, listed: '', rows: [] });
    const id = newId('checkpoint');
    this.choice = h('select', { id });
    this.metric = h('th', { scope: 'col', class: 'num' });
    this.body = h('tbody');
    this.older = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.readOlder().catch(complain) }, 'Older ones');
    this.result = h('p', { role: 'status', class: 'quiet' });
    this.node = h('section', { class: 'card checkpoints', 'aria-labelledby': `${id}-title`, hidden: true }, h('h2', { id: `${id}-title` }, 'Checkpoints'),
      this.table(), this.older, this.now(), this.form(id));
  }

  table() {
    const column = (text, cls) => h('th', { scope: 'col', class: cls }, text);
    return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Checkpoints' }, h('table', {},
      h('thead', {}, h('tr', {}, column('epoch', 'num'), column('step', 'num roomy'), this.metric, column('size', 'num roomy'), column(h('span', { class: 'offscreen' }, 'marks')),
        column(h('span', { class: 'offscreen' }, 'what can be done')))), this.body));
  }

  /** Of a run that computes: its state as it is, as soon as it can be written. */
  now() {
    const path = `${this.path}/checkpoint`;
    const made = action({ text: 'Checkpoint now', cls: 'small', request: () => ({ path, method: 'POST' }), onclick: () => this.take(path, made.button) });
    this.taking = made.node;
    return made.node;
  }

  async take(path, button) {
    button.disabled = true;
    try {
      const { step } = await post(path, undefined, this.signal);
      toast(step ? `Written at step ${count(step)}` : 'On its way');
    } catch (problem) {
      complain(problem);
    } finally {
      button.disabled = false;
    }
  }

  form(id) {
    // What may change while a run goes on is what one most often wants to change of it.
    const rows = Object.entries(this.kind.params.properties).filter(([, row]) => row.live);
    this.fields = new Map(rows.map(([name, row]) => [name, new Field(name, row, () => {})]));
    const fork = action({ text: 'Fork', cls: 'small', request: () => ({ path: `${this.path}/fork`, body: this.forkBody() }), onclick: (event) => this.send(event) });
    const verify = this.verifying('Verify', () => this.checkpoint);
    return h('form', { class: 'edit control', novalidate: true, 'aria-label': 'Go on from a checkpoint', onsubmit: (event) => this.send(event) },
      h('h3', {}, 'Go on from a checkpoint'),
      h('div', { class: 'edit-fields' }, h('div', { class: 'field' }, h('label', { for: id }, 'checkpoint'), this.choice), fork.node, verify),
      h('details', {}, h('summary', {}, 'With other parameters'), h('div', { class: 'edit-fields' }, [...this.fields.values()].map((field) => field.node))), this.result);
  }

  /** A button that verifies checkpoint(). */
  verifying(text, checkpoint) {
    const made = action({ text, cls: 'small', request: () => ({ path: `${this.path}/verify`, body: { checkpoint: checkpoint() } }),
      onclick: () => this.check(checkpoint(), made.button) });
    return made.node;
  }

  async read() {
    const { data, has_more: more } = await get(`${this.path}/checkpoints?limit=${FIRST}&order=desc`, this.signal);
    show(this.older, more);
    this.set(data);
  }

  async readOlder() {
    const { data, has_more: more } = await get(`${this.path}/checkpoints?limit=${FIRST}&order=desc&after=${this.rows.at(-1).id}`, this.signal);
    show(this.older, more);
    this.set([...this.rows, ...data]);
  }

  // Made anew only where they differ: one may have the focus.
  set(rows) {
    show(this.node, rows.length > 0);
    const list = JSON.stringify(rows.map(({ id, best, last }) => [id, best, last]));
    if (list === this.listed) return;
    this.listed = list;
    this.rows = rows;
    const focus = document.activeElement?.closest?.('tr')?.dataset.id;
    this.body.replaceChildren(...rows.map((row) => this.row(row)));
    if (focus && this.body.contains(document.activeElement) === false) this.body.querySelector(`tr[data-id="${CSS.escape(focus)}"] a`)?.focus({ preventScroll: true });
    setText(this.metric, rows[0]?.metric?.name ?? '');
    this.offer(rows.map(({ epoch }) => epoch));
  }

  offer(epochs) {
    const { value } = this.choice;
    this.choice.replaceChildren(h('option', { value: 'best' }, 'best'), ...epochs.map((epoch) => h('option', { value: epoch }, `epoch ${epoch}`)));
    if (value && [...this.choice.options].some((option) => option.value === value)) this.choice.value = value;
  }

  row({ id, epoch, step, metric, bytes: size, best, last }) {
    const ref = `${this.job.id}@${epoch}`;
    const mark = (text) => h('span', { class: 'badge' }, text);
    const cell = (text, more = '') => h('td', { class: `num ${more}` }, text);
    return h('tr', { 'data-id': id }, h('th', { scope: 'row', class: 'num' }, String(epoch)), cell(count(step), 'roomy'), cell(metric ? loss(metric.value) : '–'), cell(bytes(size), 'roomy'),
      h('td', {}, best && mark('best'), last && mark('last')),
      h('td', { class: 'doings' }, fileLink('Weights', `${this.path}/checkpoints/${id}/weights`, `${this.job.id}-${epoch}.safetensors`, { 'aria-label': `Weights of epoch ${epoch}` }),
        this.kind.abilities.includes('decode') && h('a', { href: `#/explore/${ref}`, 'aria-label': `Explore from epoch ${epoch}` }, 'Explore'),
        h('a', { class: 'control', href: `#/new/${this.job.kind}?from=${ref}`, 'aria-label': `Fork from epoch ${epoch}` }, 'Fork…'),
        this.verifying('Verify', () => epoch)));
  }

  /** A value that is being changed here stays as it is typed. */
  update(job) {
    this.job = job;
    show(this.taking, job.status === 'running');
    for (const [name, field] of this.fields) if (name in job.params) field.rebase(job.params[name]);
  }

  get checkpoint() {
    const { value } = this.choice;
    return /^\d+$/.test(value) ? Number(value) : value;
  }

  forkBody() {
    const changed = [...this.fields].filter(([, field]) => field.changed);
    return { checkpoint: this.checkpoint, params: Object.fromEntries(changed.map(([name, field]) => [name, field.value])) };
  }

  async send(event) {
    event.preventDefault();
    for (const field of this.fields.values()) field.setError('');
    try {
      this.onForked(await post(`${this.path}/fork`, this.forkBody()));
    } catch (problem) {
      sayProblem(problem, [...this.fields.values()]);
    }
  }

  async check(checkpoint, button) {
    button.disabled = true;
    setText(this.result, 'Some of its steps are taken again…');
    try {
      setText(this.result, verdictOf(await query(`${this.path}/verify`, { checkpoint }, this.signal, undefined, VERIFY_MS)));
    } catch (problem) {
      setText(this.result, '');
      complain(problem);
    } finally {
      button.disabled = false;
    }
  }
}

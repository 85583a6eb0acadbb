// panels/edit.js: what of a run may still change: the parameters that its kind's schema calls live.

import { patch } from '../lib/api.js';
import { action } from '../lib/action.js';
import { h, show, toast } from '../lib/dom.js';
import { Field, sayProblem } from '../lib/form.js';

export class EditPanel {
  constructor(kind, path, onChanged) {
    this.path = path;
    this.onChanged = onChanged;
    const { node, button } = action({ text: 'Apply', cls: 'small', onclick: (event) => this.send(event),
      request: () => ({ path, method: 'PATCH', body: { params: this.changes() } }) });
    this.apply = button;
    button.disabled = true;
    const rows = Object.entries(kind.params.properties).filter(([, row]) => row.live);
    this.fields = new Map(rows.map(([name, row]) => [name, new Field(name, row, () => this.mark())]));
    this.node = h('form', { class: 'card edit control', novalidate: true, 'aria-labelledby': 'edit-title', hidden: true, onsubmit: (event) => this.send(event) },
      h('h2', { id: 'edit-title' }, 'Change while it runs'),
      h('div', { class: 'edit-fields' }, [...this.fields.values()].map((field) => field.node), node));
  }

  mark() {
    this.apply.disabled = ![...this.fields.values()].some((field) => field.changed);
  }

  /** A value that is being changed here stays as it is typed. */
  update(job) {
    show(this.node, this.fields.size > 0 && ['queued', 'running', 'paused'].includes(job.status));
    for (const [name, field] of this.fields) if (name in job.params) field.rebase(job.params[name]);
    this.mark();
  }

  changes() {
    return Object.fromEntries([...this.fields].filter(([, field]) => field.changed).map(([name, field]) => [name, field.value]));
  }

  async send(event) {
    event.preventDefault();
    if (this.apply.disabled) return;
    for (const field of this.fields.values()) field.setError('');
    try {
      const job = await patch(this.path, { params: this.changes() });
      this.update(job);
      toast('From the next step on');
      this.onChanged();
    } catch (problem) {
      sayProblem(problem, [...this.fields.values()]);
    }
  }
}

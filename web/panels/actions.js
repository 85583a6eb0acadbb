// panels/actions.js: what may be asked of a run now: a button for each command that the job's `allowed` names; what has ended may be deleted.

import { post, remove } from '../lib/api.js';
import { action as makeAction } from '../lib/action.js';
import { complain, dialog, h, show } from '../lib/dom.js';
import { terminal } from '../lib/format.js';

// In the order in which they stand. `sure`: asked first, as [question, what follows, no, yes].
const ACTIONS = [
  { name: 'resume', text: 'Resume' },
  { name: 'retry', text: 'Try again' },
  { name: 'pause', text: 'Pause' },
  { name: 'stop', text: 'Stop and keep', sure: ['End this run now?', 'Its model is kept and tested as if this had been its last step.', 'Let it run', 'End the run'] },
  { name: 'cancel', text: 'Cancel', danger: true, sure: ['Cancel this run?', 'What it has saved stays, and it may be tried again from there.', 'Let it run', 'Cancel the run'] },
  { name: 'delete', text: 'Delete', danger: true, sure: ['Delete this run?', 'Its curves, pictures and checkpoints go with it, for good.', 'Keep it', 'Delete the run'] },
];

const possible = (name, job) => (name === 'delete' ? terminal(job)
  : job.allowed.includes(name) && !(name === 'cancel' && job.status === 'cancelling'));

export class Actions {
  /** `before(name)` and `after(name)` a command is taken; `leave` gets the focus of a button that goes. */
  constructor(path, signal, { before, after, leave }) {
    Object.assign(this, { path, signal, before, after, leave, status: '' });
    const made = ACTIONS.map((action) => [action.name, makeAction({ text: action.text, cls: action.danger ? 'danger' : '',
      request: () => this.request(action), onclick: () => this.ask(action) })]);
    this.buttons = new Map(made.map(([name, { button }]) => [name, button]));
    for (const button of this.buttons.values()) button.hidden = true;
    this.node = h('span', { class: 'actions' }, made.map(([, { node }]) => node));
  }

  // A focused button that goes, or can be pressed no more, would leave the keyboard nowhere.
  update(job) {
    this.status = job.status;
    for (const [name, button] of this.buttons) {
      const can = possible(name, job);
      const shown = can || (name === 'cancel' && !terminal(job));
      if (!can && button === document.activeElement) this.leave();
      show(button, shown);
      button.disabled = !can;
    }
  }

  request({ name }) {
    return name === 'delete' ? { path: this.path, method: 'DELETE' } : { path: `${this.path}/${name}`, method: 'POST' };
  }

  async sure({ sure: [question, follows, no, yes], danger }) {
    return await dialog(this.signal, h('h2', {}, question), h('p', {}, follows),
      h('div', { class: 'actions' }, h('button', { value: '', autofocus: true }, no),
        h('button', { value: 'yes', class: danger ? 'danger' : 'primary' }, yes))) === 'yes';
  }

  async ask(action) {
    const ended = terminal({ status: this.status });
    if (action.sure && (!await this.sure(action) || terminal({ status: this.status }) !== ended)) return;
    const button = this.buttons.get(action.name);
    if (button === document.activeElement) this.leave();
    button.disabled = true; // until the run has changed
    this.before(action.name);
    let taken = true;
    try {
      await (action.name === 'delete' ? remove(this.path) : post(`${this.path}/${action.name}`, undefined));
    } catch (problem) {
      complain(problem);
      taken = false;
    }
    this.after(action.name, taken);
  }
}

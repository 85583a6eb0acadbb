// panels/actions.js: what may be asked of a run now: a button for each command that the job's `allowed` names; what has ended may
// be deleted.

import { action as makeAction } from '../lib/action.js';
import { COMMANDS, possible, requestOf, send, sure } from '../lib/commands.js';
import { h, show } from '../lib/dom.js';
import { terminal } from '../lib/format.js';

export class Actions {
  /** `before(name)` and `after(name)` a command is taken; `leave` gets the focus of a button that goes. */
  constructor(job, signal, { before, after, leave }) {
    Object.assign(this, { job, signal, before, after, leave });
    const made = COMMANDS.map((command) => [command.name, makeAction({ text: command.text, cls: command.danger ? 'danger' : '',
      request: () => requestOf(command.name, this.job), onclick: () => this.ask(command) })]);
    this.buttons = new Map(made.map(([name, { button }]) => [name, button]));
    for (const button of this.buttons.values()) button.hidden = true;
    this.node = h('span', { class: 'actions' }, made.map(([, { node }]) => node));
  }

  // A focused button that goes, or can be pressed no more, would leave the keyboard nowhere.
  update(job) {
    this.job = job;
    for (const [name, button] of this.buttons) {
      const can = possible(name, job);
      const shown = can || (name === 'cancel' && !terminal(job));
      if (!can && button === document.activeElement) this.leave();
      show(button, shown);
      button.disabled = !can;
    }
  }

  async ask(command) {
    const ended = terminal(this.job);
    if (!await sure(command, 1, this.signal) || terminal(this.job) !== ended) return;
    const button = this.buttons.get(command.name);
    if (button === document.activeElement) this.leave();
    button.disabled = true; // until the run has changed
    this.before(command.name);
    this.after(command.name, await send(command.name, [this.job]));
  }
}

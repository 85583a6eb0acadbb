// panels/runsbar.js: what may be done with the runs that are selected, in a bar that stays in sight.

import { action } from '../lib/action.js';
import { COMMANDS, possible, requestOf, send, sure } from '../lib/commands.js';
import { h, setText, show } from '../lib/dom.js';

const MOST_COMPARED = 20;

const compareHref = (all) => `#/compare/${all.map((job) => encodeURIComponent(job.id)).join(',')}`;

export class RunsBar {
  /** clear(): nothing is to be selected any more. */
  constructor(signal, clear) {
    Object.assign(this, { signal, clear, jobs: [] });
    signal.addEventListener('abort', () => this.set([]));
    this.count = h('strong', { role: 'status' });
    this.compare = h('a', { class: 'button primary' });
    this.commands = COMMANDS.map((command) => ({ command, ...action({ text: command.text, cls: command.danger ? 'danger' : '',
      request: () => this.able(command.name).map((job) => requestOf(command.name, job)), onclick: () => this.command(command) }) }));
    this.node = h('section', { class: 'select-bar', 'aria-label': 'Selected runs', hidden: true }, this.count, this.compare,
      this.commands.map(({ node }) => node), h('button', { type: 'button', onclick: clear }, 'Clear'));
  }

  able(name) {
    return this.jobs.filter((job) => possible(name, job));
  }

  set(all) {
    this.jobs = all;
    show(this.node, all.length > 0);
    document.documentElement.toggleAttribute('data-selection', all.length > 0); // messages stay clear of it
    if (!all.length) return;
    setText(this.count, `${all.length} selected`);
    const few = all.length > 1 && all.length <= MOST_COMPARED;
    setText(this.compare, few || all.length < 2 ? `Compare (${all.length})` : `Compare: ${MOST_COMPARED} at most`);
    if (few) this.compare.setAttribute('href', compareHref(all));
    else this.compare.removeAttribute('href');
    this.compare.toggleAttribute('aria-disabled', !few);
    for (const { command, button } of this.commands) {
      const able = this.able(command.name).length;
      show(button, able > 0);
      setText(button, able === all.length ? command.text : `${command.text} (${able})`);
    }
  }

  goCompare() {
    if (!this.compare.hasAttribute('href')) return false;
    location.hash = this.compare.getAttribute('href');
    return true;
  }

  async command(command) {
    const able = this.able(command.name);
    if (!await sure(command, able.length, this.signal)) return;
    await send(command.name, able);
    if (command.name === 'delete') this.clear();
  }
}

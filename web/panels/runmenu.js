// panels/runmenu.js: what may be done with one run of the table: commands, its priority, a fork, each with its curl line.

import { action } from '../lib/action.js';
import { patch, post } from '../lib/api.js';
import { COMMANDS, possible, requestOf, send, sure } from '../lib/commands.js';
import { complain, dialog, h } from '../lib/dom.js';
import { terminal } from '../lib/format.js';
import { jobs } from '../lib/jobs.js';
import { notice } from '../lib/notice.js';
import { jobName, runHref } from './runrow.js';

const GAP = 4;

/** Whether there may be something to go on from. */
const forkable = (job, kind) => Boolean(kind?.trains && job.progress?.step > 0);

/** The epochs in all that a fork is offered: as many again where all are done. */
const moreEpochs = ({ params, progress }) => (progress.epoch >= params.epochs ? 2 * params.epochs : params.epochs);

async function askFork(job, signal) {
  const from = h('select', { id: 'fork-from' }, h('option', { value: 'best' }, 'best'), h('option', { value: 'last' }, 'last'));
  const epochs = h('input', { id: 'fork-epochs', type: 'number', class: 'number', min: '1', value: String(moreEpochs(job)) });
  const name = h('input', { id: 'fork-name', type: 'text', autocomplete: 'off' });
  const field = (text, input, hint) => h('div', { class: 'fork-field' }, h('label', { for: input.id }, text), input,
    hint && h('p', { class: 'quiet' }, hint));
  const answer = await dialog(signal, h('h2', {}, `Go on from ${jobName(job)}`), field('checkpoint', from),
    field('epochs', epochs, `in all; ${job.progress.epoch} are done there`), field('name', name, 'may stay empty'),
    h('p', { class: 'quiet' }, 'Other parameters and earlier checkpoints: on its page, beneath “Go on from a checkpoint”.'),
    h('div', { class: 'actions' }, h('button', { value: '' }, 'Not now'), h('button', { class: 'primary', value: 'fork' }, 'Fork')));
  if (answer !== 'fork') return null;
  return { checkpoint: from.value, params: { epochs: Number(epochs.value) }, ...(name.value.trim() && { name: name.value.trim() }) };
}

export class RunMenu {
  constructor(signal) {
    this.signal = signal;
    this.node = h('div', { popover: 'auto', class: 'row-actions', role: 'group', onkeydown: (event) => this.onKey(event) });
    this.node.addEventListener('toggle', ({ newState }) => newState === 'closed' && this.opener?.setAttribute('aria-expanded', 'false'));
  }

  open(job, kind, opener) {
    this.opener = opener;
    this.node.setAttribute('aria-label', `Actions for ${jobName(job)}`);
    this.node.replaceChildren(...this.entries(job, kind));
    this.node.showPopover();
    opener.setAttribute('aria-expanded', 'true');
    this.place(opener.getBoundingClientRect());
    this.node.querySelector('button, input')?.focus();
  }

  // Beneath its button; above it where there is more room.
  place({ top, bottom, right }) {
    const { offsetHeight: high, offsetWidth: wide } = this.node;
    const below = bottom + GAP + high <= innerHeight || top < innerHeight - bottom;
    this.node.style.setProperty('top', `${Math.max(GAP, below ? Math.min(bottom + GAP, innerHeight - high - GAP) : top - GAP - high)}px`);
    this.node.style.setProperty('left', `${Math.max(GAP, right - wide)}px`);
  }

  entries(job, kind) {
    const of = (row) => action({ text: row.text, cls: row.danger ? 'danger' : '', request: () => requestOf(row.name, job),
      onclick: () => this.command(row, job) }).node;
    const able = COMMANDS.filter(({ name }) => possible(name, job));
    return [...able.filter(({ name }) => name !== 'delete').map(of), forkable(job, kind) && this.forkEntry(job),
      !terminal(job) && this.priority(job), ...able.filter(({ name }) => name === 'delete').map(of)].filter(Boolean);
  }

  forkEntry(job) {
    return action({ text: 'Fork…', request: () => ({ path: `v1/jobs/${job.id}/fork`, body: { params: { epochs: moreEpochs(job) } } }),
      onclick: () => this.fork(job).catch(complain) }).node;
  }

  priority(job) {
    const path = `v1/jobs/${job.id}`;
    const input = h('input', { type: 'number', class: 'number', min: '-1000', max: '1000', step: '1', value: String(job.priority),
      id: 'row-priority', onkeydown: (event) => event.key === 'Enter' && set() });
    const set = async () => {
      try {
        jobs.put(await patch(path, { priority: Number(input.value) }));
        this.node.hidePopover();
      } catch (problem) {
        complain(problem);
      }
    };
    return h('div', { class: 'priority control' }, h('label', { for: 'row-priority' }, 'Priority'), input,
      action({ text: 'Set', request: () => ({ path, method: 'PATCH', body: { priority: Number(input.value) } }), onclick: set }).node);
  }

  async command(row, job) {
    this.node.hidePopover();
    if (await sure(row, 1, this.signal)) await send(row.name, [jobs.known.get(job.id) ?? job]);
    if (document.activeElement === document.body) this.opener?.focus();
  }

  async fork(job) {
    this.node.hidePopover();
    const body = await askFork(job, this.signal);
    if (!body) return;
    const made = await post(`v1/jobs/${job.id}/fork`, body);
    jobs.put(made);
    notice([h('a', { href: runHref(made) }, jobName(made)), ` goes on from ${jobName(job)}.`]);
  }

  // What stands above and below is reached as in a menu.
  onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.matches('input')) return;
    event.preventDefault();
    const all = [...this.node.querySelectorAll('.action > :first-child, input')];
    all[(all.indexOf(event.target.closest('.action')?.firstChild ?? event.target) + step + all.length) % all.length].focus();
  }
}

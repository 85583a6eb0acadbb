// lib/commands.js: what may be asked of a run: one row a command, for its page, the table and the bar of those selected.

import { readOnly } from './access.js';
import { post, remove } from './api.js';
import { complain, dialog, h } from './dom.js';
import { terminal } from './format.js';
import { jobs } from './jobs.js';
import { later } from './undo.js';

const runs = (count) => (count === 1 ? 'run' : 'runs');
const these = (count) => (count === 1 ? 'this run' : `these ${count} runs`);
const leave = (count) => (count === 1 ? 'Let it run' : 'Let them run');

/** In the order in which they stand. `sure(count)`: asked first, as [question, what follows, no, yes]. */
export const COMMANDS = [
  { name: 'resume', text: 'Resume' },
  { name: 'retry', text: 'Try again' },
  { name: 'pause', text: 'Pause' },
  { name: 'stop', text: 'Stop and keep', sure: (count) => [`End ${these(count)} now?`,
    'What has been learned is kept and tested as if this had been the last step.', leave(count), `End the ${runs(count)}`] },
  { name: 'cancel', text: 'Cancel', danger: true, sure: (count) => [`Cancel ${these(count)}?`,
    'What was saved stays, and it may be tried again from there.', leave(count), `Cancel the ${runs(count)}`] },
  { name: 'delete', text: 'Delete', danger: true },
];

export const commandOf = (name) => COMMANDS.find((row) => row.name === name);

export const possible = (name, job) => (name === 'delete' ? terminal(job)
  : job.allowed.includes(name) && !(name === 'cancel' && job.status === 'cancelling'));

const pathOf = (job) => `v1/jobs/${job.id}`;

export const requestOf = (name, job) => (name === 'delete' ? { path: pathOf(job), method: 'DELETE' }
  : { path: `${pathOf(job)}/${name}`, method: 'POST' });

/** Whether it is meant, where that is asked at all. */
export async function sure({ sure: ask, danger }, count, signal) {
  if (!ask) return true;
  const [question, follows, no, yes] = ask(count);
  return await dialog(signal, h('h2', {}, question), h('p', {}, follows),
    h('div', { class: 'actions' }, h('button', { value: '', autofocus: true }, no),
      h('button', { value: 'yes', class: danger ? 'danger' : 'primary' }, yes))) === 'yes';
}

/** Gone from every list at once, for good after a moment. */
function deleteLater(all) {
  const ids = all.map((job) => job.id);
  const commit = async ({ keepalive }) => {
    const outcomes = await Promise.allSettled(ids.map((id) => remove(`v1/jobs/${id}`, undefined, keepalive)));
    const failed = outcomes.map((each, i) => ({ ...each, id: ids[i] })).filter(({ reason }) => reason && reason.status !== 404);
    jobs.drop(ids.filter((id) => !failed.some((each) => each.id === id)));
    if (failed.length) throw failed[0].reason;
  };
  jobs.hide(ids);
  later(`Deleted ${all.length === 1 ? all[0].name || all[0].id : `${all.length} runs`}.`, { commit, undo: () => jobs.unhide(ids) });
}

/** Sends it for each that allows it; what is refused is said once. True: none was. */
export async function send(name, all) {
  const able = all.filter((job) => possible(name, job));
  if (!able.length || readOnly) return false;
  if (name === 'delete') {
    deleteLater(able);
    return true;
  }
  const outcomes = await Promise.allSettled(able.map(async (job) => jobs.put(await post(requestOf(name, job).path, undefined))));
  const refused = outcomes.filter(({ reason }) => reason);
  if (refused.length) complain(refused[0].reason);
  return refused.length === 0;
}

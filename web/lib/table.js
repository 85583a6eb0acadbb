// lib/table.js: which rows the table of runs has, and in what order. Pure functions of jobs as the API tells them.

import { progressOf, terminal } from './format.js';

const RANK = ['running', 'pausing', 'cancelling', 'paused', 'queued', 'failed', 'cancelled', 'succeeded'];

/** What a column is sorted by; null goes last, whichever way. `down`: the way that is wanted first. */
export const COLUMNS = {
  name: { text: 'Run', value: (job) => (job.name || job.id).toLowerCase() },
  kind: { text: 'Kind', value: (job) => job.kind },
  status: { text: 'Status', value: (job) => RANK.indexOf(job.status) },
  progress: { text: 'Progress', value: progressOf, down: true },
  best: { text: 'Best', value: (job) => job.best?.value ?? null },
  created: { text: 'Age', value: (job) => -job.created_at_ms },
  time: { text: 'Time', value: (job) => job.train_s || null, down: true },
};

const compare = (a, b) => (a < b ? -1 : Number(a > b));

/** A list that is sorted anew; by nothing: as it came. Equal ones stay as they were. */
export function sorted(jobs, column, down) {
  const value = COLUMNS[column]?.value;
  if (!value) return [...jobs];
  const way = down ? -1 : 1;
  return jobs.map((job) => [value(job), job]).sort(([a], [b]) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return way * compare(a, b);
  }).map(([, job]) => job);
}

const said = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

/** A word of the filter: `beta=2` is of a parameter, any other of what the row says. */
function matches(job, text, word) {
  const [name, wanted] = word.split('=', 2);
  if (wanted !== undefined && job.params && name in job.params) return said(job.params[name]) === wanted;
  return text.includes(word);
}

/** `text`: words that must all be there; `statuses`, `kinds`: sets, empty for any. */
export function filtered(jobs, { text = '', statuses = new Set(), kinds = new Set() }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return jobs.filter((job) => {
    if (statuses.size && !statuses.has(phaseOf(job)) || kinds.size && !kinds.has(job.kind)) return false;
    if (!words.length) return true;
    const all = [job.name, job.id, job.kind, job.preset, job.status, job.dataset].join(' ').toLowerCase();
    return words.every((word) => matches(job, all, word));
  });
}

/** A status without its way there: what is pausing still runs. */
export const phaseOf = ({ status }) => ({ pausing: 'running', cancelling: 'running' }[status] ?? status);

export const PHASES = ['running', 'queued', 'paused', 'succeeded', 'failed', 'cancelled'];

/** How many there are of each value: a Map in order of `order`, then of appearance. */
export function counts(jobs, valueOf, order = []) {
  const all = new Map(order.map((value) => [value, 0]));
  for (const job of jobs) all.set(valueOf(job), (all.get(valueOf(job)) ?? 0) + 1);
  return new Map([...all].filter(([, count]) => count));
}

/** Of what there is to reach for more is better, of what is lost less. */
export const moreIsBetter = (metric) => /accuracy|share|precision|recall|coverage|density/.test(metric);

/** Of jobs that all tell the same metric the best value: {metric, value}; null where they differ or have none. */
export function bestOf(jobs) {
  const known = jobs.filter((job) => job.best).map((job) => job.best);
  if (!known.length || known.some(({ metric }) => metric !== known[0].metric)) return null;
  const { metric } = known[0];
  return { metric, value: Math[moreIsBetter(metric) ? 'max' : 'min'](...known.map(({ value }) => value)) };
}

/** Jobs of one kind beneath one head: [{key, jobs, running, best, seconds}], in order of the kinds' names. */
export function groupedByKind(jobs) {
  const groups = new Map();
  for (const job of jobs) {
    if (!groups.has(job.kind)) groups.set(job.kind, []);
    groups.get(job.kind).push(job);
  }
  return [...groups].sort(([a], [b]) => compare(a, b)).map(([key, members]) => ({
    key, jobs: members, running: members.filter((job) => phaseOf(job) === 'running').length, best: bestOf(members),
    seconds: members.reduce((sum, job) => sum + (job.train_s ?? 0), 0),
  }));
}

/** All from one of `ids` to another, both with it; only the latter where the first is not there. */
export function span(ids, from, to) {
  const [a, b] = [ids.indexOf(from), ids.indexOf(to)];
  if (b < 0) return [];
  return a < 0 ? [to] : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
}

/** What a table shows, as the query of its address, and back. */
export function toQuery({ text, statuses, kinds, sort, down, group }) {
  const query = new URLSearchParams();
  if (text) query.set('q', text);
  if (statuses.size) query.set('status', [...statuses].join(','));
  if (kinds.size) query.set('kind', [...kinds].join(','));
  if (sort) query.set('sort', `${down ? '-' : ''}${sort}`);
  if (group) query.set('group', group);
  return query.toString().replaceAll('%2C', ',');
}

export function fromQuery(query) {
  const set = (name) => new Set((query.get(name) ?? '').split(',').filter(Boolean));
  const sort = query.get('sort') ?? '';
  const name = sort.replace(/^-/, '');
  return { text: query.get('q') ?? '', statuses: set('status'), kinds: set('kind'), sort: Object.hasOwn(COLUMNS, name) ? name : '',
    down: sort.startsWith('-') && Object.hasOwn(COLUMNS, name), group: query.get('group') === 'kind' ? 'kind' : '' };
}

/** What changed between two tellings of a job, as far as it is news: {status} or {warning}, or null. A fresh one may have ended before
 * it was ever seen. */
export function newsOf(before, job, fresh = false) {
  if (!before) return fresh && terminal(job) ? { status: job.status } : null;
  if (before.status !== job.status && (terminal(job) || job.status === 'paused')) return { status: job.status };
  const warnings = job.warnings ?? [];
  if (warnings.length > (before.warnings?.length ?? 0)) return { warning: warnings.at(-1) };
  return null;
}

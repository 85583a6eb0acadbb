// lib/history.js: what happened to a run, of its events: in words, and as marks over its curves. Pure functions.

import { bytes, endedBy } from './format.js';

/** The kinds of events that are told; the points and pictures among them have places of their own. */
export const TOLD = ['status', 'alert', 'log', 'checkpoint'];

const WORDS = {
  status: (event) => [event.status, endedBy(event) && `ended by ${endedBy(event)}`].filter(Boolean).join(': '),
  alert: ({ text, message, remedy }) => [text ?? message, remedy].filter(Boolean).join(' – '),
  log: ({ message }) => message,
  checkpoint: ({ epoch, step, bytes: size }) => `epoch ${epoch}, step ${step}, ${bytes(size)}`,
};

export const words = (event) => WORDS[event.event](event);

/** Adds events to a list in the order of their numbers; those that are there stay once. */
export function merged(known, more) {
  const all = new Map([...known, ...more].map((event) => [event.seq, event]));
  return [...all.values()].sort((a, b) => a.seq - b.seq);
}

/** Alerts of one code as one: the newest, how often, since which epoch. */
export function alertsOf(events) {
  const byCode = new Map();
  for (const event of events) {
    if (event.event !== 'alert') continue;
    const { times = 0, since = event.epoch } = byCode.get(event.code) ?? {};
    byCode.set(event.code, { ...event, times: times + 1, since });
  }
  return [...byCode.values()].sort((a, b) => b.seq - a.seq);
}

/** Marks over the curves: edits, alerts, when it went on, and where another run was left. */
export function marksOf(events, { from }, forks) {
  const marks = [];
  let before = null;
  for (const event of events) {
    if (event.event === 'log' && event.step !== undefined) marks.push({ type: 'edit', text: event.message, step: event.step });
    if (event.event === 'alert') marks.push({ type: 'alert', text: `epoch ${event.epoch}: ${event.text ?? event.message}`, step: event.step });
    if (event.event !== 'status') continue;
    const went = before && { paused: 'went on after a pause', running: 'went on after a restart' };
    if (event.status === 'running' && before) marks.push({ type: 'run', text: went[before] ?? 'went on', at_ms: event.at_ms });
    if (['running', 'paused', 'failed', 'cancelled'].includes(event.status)) before = event.status;
  }
  if (forks && from?.step) marks.push({ type: 'fork', text: `forked from ${from.job}@${from.checkpoint}`, step: from.step });
  return marks;
}

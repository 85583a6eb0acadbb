// lib/news.js: says in the corner what has become of runs, in whichever view; not what this page itself has just asked for.

import { changedHere } from './api.js';
import { h } from './dom.js';
import { endedBy, measured } from './format.js';
import { jobs } from './jobs.js';
import { notice } from './notice.js';
import { counts, newsOf } from './table.js';

const OWN_MS = 15000; // so long a command of this page may take
const AT_ONCE = 3; // more are one message

const COMMANDS = { paused: 'pause', cancelled: 'cancel', succeeded: 'stop' }; // what makes it of a run

const asked = ({ id, status }) => changedHere(`v1/jobs/${id}/${COMMANDS[status]}`, OWN_MS);
const seen = (job) => location.hash.split('?')[0] === `#/runs/${encodeURIComponent(job.id)}`;
const link = (job) => h('a', { href: `#/runs/${encodeURIComponent(job.id)}` }, job.name || job.id);

function wordsOf({ job, warning }) {
  if (warning) return [link(job), `: ${warning}`];
  const why = job.status === 'failed' ? job.error?.detail : endedBy(job) && `ended by ${endedBy(job)}`;
  const best = job.status === 'succeeded' && job.best && `best ${job.best.metric} ${measured(job.best.metric, job.best.value)}`;
  return [link(job), ` ${job.status}`, [why, best].filter(Boolean).map((text) => ` · ${text}`)].flat();
}

function say(all) {
  if (all.length <= AT_ONCE) {
    for (const one of all) notice(wordsOf(one), { kind: one.warning || one.job.status === 'failed' ? 'error' : 'info', ms: 8000 });
    return;
  }
  const tally = counts(all, ({ job, warning }) => (warning ? 'with a warning' : job.status));
  notice([[...tally].map(([what, count]) => `${count} ${what}`).join(', '), ' ', h('a', { href: '#/' }, 'All runs')], { ms: 8000 });
}

export function tellNews() {
  jobs.watch(({ news }) => {
    const all = news.map(({ job, before, fresh }) => ({ job, ...newsOf(before, job, fresh) }))
      .filter(({ job, status, warning }) => (warning || (status && !asked(job))) && !seen(job));
    say(all);
  });
}

// panels/runrow.js: one row of the table of runs: made once, then updated in place, so focus and selection stay.

import { h, setText, show, svg } from '../lib/dom.js';
import { age, clock, duration, loss, measured, percent, progressOf, terminal, trained } from '../lib/format.js';
import { progressBar, statusPill } from '../lib/status.js';
import { sparkline } from '../lib/curve.js';

export const runHref = (job) => `#/runs/${encodeURIComponent(job.id)}`;
export const jobName = (job) => job.name || job.id;

export class Row {
  constructor(job, { child = false } = {}) {
    this.id = job.id;
    this.child = child;
    this.check = h('input', { type: 'checkbox' });
    this.link = h('a', { href: runHref(job), class: 'run-link' });
    this.second = h('span', { class: 'quiet second' });
    this.trials = h('button', { type: 'button', class: 'small trials-toggle', 'aria-expanded': 'false', hidden: true });
    this.pill = statusPill();
    this.bar = progressBar(`Progress of ${jobName(job)}`);
    this.share = h('span', { class: 'num quiet share' });
    this.best = h('span');
    this.latest = h('span', { class: 'quiet second' });
    this.line = svg('polyline', { class: 'spark-line' });
    this.created = h('td', { class: 'num quiet created' });
    this.time = h('td', { class: 'num time' });
    this.menu = h('button', { type: 'button', class: 'icon row-menu', 'aria-haspopup': 'true' }, '⋯');
    this.drawnStep = -1;
    this.node = h('tr', { class: child ? 'child' : '', 'data-id': job.id },
      h('td', { class: 'pick' }, this.check),
      h('th', { scope: 'row', class: 'run' }, this.link, this.trials, this.second),
      h('td', { class: 'kind' }, job.kind),
      h('td', { class: 'status' }, this.pill.node),
      h('td', { class: 'progress progress-cell' }, this.bar.node, this.share),
      h('td', { class: 'num best' }, this.best, this.latest),
      h('td', { class: 'curve' }, svg('svg', { class: 'spark', viewBox: '0 0 90 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        this.line)),
      this.created, this.time,
      h('td', { class: 'menu control' }, this.menu));
    this.node.setAttribute('role', 'row'); // of a grid, not of a table's boxes
    for (const cell of this.node.children) cell.setAttribute('role', cell.scope ? 'rowheader' : 'cell');
  }

  /** kind: its row of v1/kinds. */
  update(job, kind, now) {
    if (this.job !== job) this.tell(job, kind);
    setText(this.created, age(now - job.created_at_ms));
  }

  tell(job, kind) {
    this.job = job;
    this.headline = kind?.headlines[0];
    const name = jobName(job);
    if (this.named !== name) this.rename(name);
    const share = progressOf(job);
    setText(this.second, job.name ? `${job.preset} · ${job.id}` : job.preset);
    show(this.trials, !this.child && Boolean(kind?.results.includes('trials')));
    setText(this.trials, `${job.progress?.epochs ?? ''} trials`.trim());
    this.pill.set(job);
    this.node.classList.toggle('ended', terminal(job));
    this.bar.set(share);
    setText(this.share, shareText(job, share));
    const metric = job.best?.metric ?? '';
    setText(this.best, job.best ? measured(metric, job.best.value) : '–');
    this.best.title = metric;
    const latest = job.metrics?.[this.headline];
    setText(this.latest, terminal(job) || latest === undefined ? metric : `now ${loss(latest)}`);
    this.latest.title = this.headline ?? '';
    setText(this.time, trained(job));
    this.created.title = clock(job.created_at_ms);
  }

  rename(name) {
    this.named = name;
    setText(this.link, name);
    this.link.title = name;
    this.check.setAttribute('aria-label', `Select ${name}`);
    this.menu.setAttribute('aria-label', `Actions for ${name}`);
    this.trials.setAttribute('aria-label', `Trials of ${name}`);
  }

  pick(picked) {
    this.check.checked = picked;
    this.node.classList.toggle('picked', picked);
  }

  /** Whether its curve has grown since it was drawn. */
  get stale() {
    const step = this.job.progress?.step ?? 0;
    return Boolean(step && step !== this.drawnStep && this.headline);
  }

  draw(values, step) {
    this.drawnStep = step;
    this.line.setAttribute('points', sparkline(values, 90, 24));
  }
}

/** Where it stands, and how long it takes from here. */
function shareText(job, share) {
  const priority = job.priority ? ` · priority ${job.priority}` : '';
  if (job.status === 'queued') return `${job.queue_position ? `#${job.queue_position} in the queue` : 'waits'}${priority}`;
  const left = job.status === 'running' && job.progress?.eta_ms > 0 ? ` · ${duration(job.progress.eta_ms)} left` : '';
  return `${percent(share)}${left}${job.status === 'running' || terminal(job) ? '' : priority}`;
}

// view_runs.js: all runs, live; or, when there are none, the first one in a click.

import { curl, get, post } from './api.js';
import { sparkline } from './curve.js';
import { commandBox, h, setText, show, svg, toast } from './dom.js';
import { duration, loss, percent, progressOf, terminal } from './format.js';
import { missingDataset } from './missing.js';
import { progressBar, statusPill } from './status.js';

const PAGE = 50;
const FIRST_RUN = { kind: 'ae' };

const jobName = (job) => job.name || job.id;
const runHref = (job) => `#/runs/${encodeURIComponent(job.id)}`;

/** One row of the table: made once, then updated in place, so focus and selection stay. */
class Row {
  constructor(job) {
    this.link = h('a', { href: runHref(job), class: 'run-link' });
    this.id = h('span', { class: 'quiet id' });
    this.pill = statusPill();
    this.bar = progressBar(`Progress of ${jobName(job)}`);
    this.share = h('span', { class: 'num quiet' });
    this.best = h('td', { class: 'num' });
    this.latest = h('td', { class: 'num' });
    this.line = svg('polyline', { class: 'spark-line' });
    this.eta = h('td', { class: 'num' });
    this.drawnStep = -1;
    this.node = h('tr', {},
      h('th', { scope: 'row' }, this.link, this.id),
      h('td', { class: 'wide' }, job.kind),
      h('td', {}, this.pill.node),
      h('td', { class: 'progress-cell' }, this.bar.node, this.share),
      this.best, this.latest,
      h('td', { class: 'wide' }, svg('svg', { class: 'spark', viewBox: '0 0 90 24', 'aria-hidden': 'true' }, this.line)),
      this.eta);
    this.node.addEventListener('click', (event) => {
      if (!event.target.closest('a') && !getSelection().toString()) location.hash = runHref(job);
    });
  }

  update(job) {
    this.job = job;
    const share = progressOf(job);
    setText(this.link, jobName(job));
    setText(this.id, job.name ? job.id : job.preset);
    this.pill.set(job);
    this.bar.set(share);
    setText(this.share, job.status === 'queued' && job.queue_position ? `#${job.queue_position}` : percent(share));
    setText(this.best, loss(job.best?.value));
    setText(this.latest, loss(job.metrics?.train_loss));
    setText(this.eta, terminal(job) ? duration(job.train_s * 1000) : duration(job.progress?.eta_ms));
  }

  /** Asks for the curve only when it has grown. */
  async drawSpark(signal) {
    const step = this.job.progress?.step ?? 0;
    if (!step || step === this.drawnStep) return;
    this.drawnStep = step;
    const { series } = await get(`v1/jobs/${this.job.id}/metrics?names=train_loss&by=step&points=60`, signal);
    this.line.setAttribute('points', sparkline(series.train_loss?.value ?? [], 90, 24));
  }
}

class RunsView {
  constructor(root, { signal, title }) {
    this.signal = signal;
    this.title = title;
    this.rows = new Map();
    this.older = [];
    this.body = h('tbody');
    this.more = h('button', { type: 'button', hidden: true, onclick: () => this.loadOlder() }, 'Show older runs');
    this.missing = missingDataset();
    this.empty = this.emptyState();
    this.table = h('div', { class: 'card table-card', hidden: true }, this.makeTable(), this.more);
    root.append(h('div', { class: 'head' }, h('h1', {}, 'Runs'), h('a', { class: 'button primary', href: '#/new' }, 'New run')),
      this.missing.node, this.empty, this.table);
  }

  makeTable() {
    const head = (text, cls) => h('th', { scope: 'col', class: cls }, text);
    return h('table', { class: 'runs', 'aria-label': 'Runs, newest first' },
      h('thead', {}, h('tr', {}, head('Run'), head('Kind', 'wide'), head('Status'), head('Progress'), head('Best', 'num'),
        head('Latest', 'num'), head('Curve', 'wide'), head('ETA / time', 'num'))),
      this.body);
  }

  emptyState() {
    const command = commandBox(() => curl('v1/jobs', FIRST_RUN), 'the same run from a terminal');
    this.first = h('button', { type: 'button', class: 'primary big', onclick: () => this.startFirst() }, 'Start a first run');
    return h('section', { class: 'card empty', hidden: true },
      h('h2', {}, 'Nothing has been trained here yet'),
      h('p', {}, 'One click trains a convolutional autoencoder on Fashion-MNIST with the defaults. You watch its loss fall, see ' +
        'what it makes of test images, and drag its latent units while it learns.'),
      h('p', {}, this.first, ' ', h('a', { class: 'button', href: '#/new' }, 'Choose parameters')),
      h('p', { class: 'quiet' }, 'Or the same from a terminal:'), command.node);
  }

  async startFirst() {
    this.first.disabled = true;
    try {
      const job = await post('v1/jobs', FIRST_RUN);
      location.hash = runHref(job);
    } catch (problem) {
      this.first.disabled = false;
      toast(problem.message, 'error');
    }
  }

  async loadOlder() {
    const last = [...this.rows.values()].at(-1).job.id;
    const page = await get(`v1/jobs?limit=${PAGE}&after=${last}`, this.signal);
    this.older.push(...page.data);
    show(this.more, page.has_more);
    this.place([...this.rows.values()].map((row) => row.job).concat(page.data));
  }

  place(jobs) {
    const rows = new Map();
    for (const job of jobs) {
      const row = rows.get(job.id) ?? this.rows.get(job.id) ?? new Row(job);
      row.update(job);
      rows.set(job.id, row);
    }
    this.rows = rows;
    const nodes = [...rows.values()].map((row) => row.node);
    if (nodes.length !== this.body.children.length || nodes.some((node, i) => node !== this.body.children[i])) {
      this.placeKeepingFocus(nodes);
    }
  }

  // Moving a node takes its focus away; a new run at the top must not throw a keyboard user out of the table.
  placeKeepingFocus(nodes) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    this.body.replaceChildren(...nodes);
    focused?.focus({ preventScroll: true });
  }

  async refresh() {
    const page = await get(`v1/jobs?limit=${PAGE}`, this.signal);
    const newest = new Set(page.data.map((job) => job.id));
    if (!this.older.length) show(this.more, page.has_more);
    this.place([...page.data, ...this.older.filter((job) => !newest.has(job.id))]);
    show(this.empty, !page.data.length);
    show(this.table, page.data.length > 0);
    this.sayTitle(page.data);
    await Promise.all([...this.rows.values()].map((row) => row.drawSpark(this.signal).catch(() => {})));
    return page.data.some((job) => !terminal(job));
  }

  sayTitle(jobs) {
    const running = jobs.filter((job) => job.status === 'running');
    const lead = running.length === 1 ? `${percent(progressOf(running[0]))} ` : running.length ? `${running.length} running ` : '';
    this.title(`${lead}Runs`);
  }

  async run() {
    this.missing.refresh(this.signal).then((missing) => { this.first.disabled = missing; }, () => {});
    while (!this.signal.aborted) {
      let active = false;
      try {
        active = await this.refresh();
      } catch (problem) {
        if (problem.name === 'AbortError') return;
        this.title('not connected');
      }
      await new Promise((resolve) => { setTimeout(resolve, active ? 1000 : 3000); });
      while (document.visibilityState === 'hidden' && !active && !this.signal.aborted) {
        await new Promise((resolve) => { document.addEventListener('visibilitychange', resolve, { once: true }); });
      }
    }
  }
}

export function runsView(root, context) {
  new RunsView(root, context).run();
}

/** j and k, or the arrows, move from run to run. */
export function moveInRuns(direction) {
  const links = [...document.querySelectorAll('.run-link')];
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + direction))].focus();
  return true;
}

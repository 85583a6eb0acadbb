// views/runs.js: all runs, live; or, when there are none, the first one in a click.

import { curl, get, pause, post, visible } from '../lib/api.js';
import { sparkline } from '../lib/curve.js';
import { commandBox, complain, h, setText, show, svg, throttled } from '../lib/dom.js';
import { duration, loss, percent, progressOf, terminal, trained } from '../lib/format.js';
import { missingDataset } from '../lib/missing.js';
import { progressBar, statusPill } from '../lib/status.js';

const PAGE = 50;
const MOST = 100; // that the daemon gives at once
const FIRST_RUN = { kind: 'ae' };

const jobName = (job) => job.name || job.id;
const runHref = (job) => `#/runs/${encodeURIComponent(job.id)}`;

/** One row of the table: made once, then updated in place, so focus and selection stay. */
class Row {
  constructor(job) {
    this.link = h('a', { href: runHref(job), class: 'run-link' });
    this.second = h('span', { class: 'quiet second' });
    this.pill = statusPill();
    this.bar = progressBar(`Progress of ${jobName(job)}`);
    this.share = h('span', { class: 'num quiet' });
    this.best = h('td', { class: 'num' });
    this.latest = h('td', { class: 'num' });
    this.line = svg('polyline', { class: 'spark-line' });
    this.eta = h('td', { class: 'num' });
    this.drawnStep = -1;
    this.node = h('tr', {},
      h('th', { scope: 'row' }, this.link, this.second),
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

  /** headline: the series that stands for a run of this kind. */
  update(job, headline) {
    this.job = job;
    this.headline = headline;
    const share = progressOf(job);
    setText(this.link, jobName(job));
    this.link.title = jobName(job);
    setText(this.second, job.name ? `${job.preset} · ${job.id}` : job.preset);
    this.pill.set(job);
    this.bar.set(share);
    setText(this.share, job.status === 'queued' && job.queue_position ? `#${job.queue_position}` : percent(share));
    setText(this.best, loss(job.best?.value));
    this.best.title = job.best?.metric ?? '';
    setText(this.latest, loss(job.metrics?.[headline]));
    this.latest.title = headline ?? '';
    setText(this.eta, terminal(job) ? trained(job) : duration(job.progress?.eta_ms));
  }

  /** Asks for the curve only when it has grown. */
  async drawSpark(signal) {
    const step = this.job.progress?.step ?? 0;
    if (!step || step === this.drawnStep || !this.headline) return;
    this.drawnStep = step;
    const { series } = await get(`v1/jobs/${this.job.id}/metrics?names=${this.headline}&by=step&points=60`, signal);
    this.line.setAttribute('points', sparkline(series[this.headline]?.value ?? [], 90, 24));
  }
}

class RunsView {
  constructor(root, { signal, title }) {
    this.signal = signal;
    this.title = title;
    this.rows = new Map();
    this.wanted = history.state?.wanted ?? PAGE;
    this.top = history.state?.top ?? 0;
    this.body = h('tbody');
    this.headlines = new Map(); // by kind
    this.bestHead = h('span', { class: 'metric' });
    this.latestHead = h('span', { class: 'metric' });
    this.more = h('button', { type: 'button', hidden: true, onclick: () => this.showOlder() }, 'Show older runs');
    this.kindList = h('ul', { class: 'kinds' });
    this.missing = missingDataset();
    this.empty = this.emptyState();
    this.table = h('div', { class: 'card table-card', hidden: true }, this.makeTable(), this.more);
    root.replaceChildren(h('div', { class: 'head' }, h('h1', {}, 'Runs'), h('a', { class: 'button primary control', href: '#/new' }, 'New run')),
      this.missing.node, this.empty, this.table);
  }

  // With the entry of the history, so that going back finds the list as it was left, and a new visit begins at its top.
  saveState() {
    history.replaceState({ wanted: this.wanted, top: scrollY }, '');
  }

  rememberScrolling() {
    const remember = throttled(() => this.saveState(), 250);
    addEventListener('scroll', remember, { signal: this.signal });
    this.signal.addEventListener('abort', remember.cancel);
  }

  makeTable() {
    const head = (text, cls, ...more) => h('th', { scope: 'col', class: cls }, text, ...more);
    return h('table', { class: 'runs', 'aria-label': 'Runs, newest first' },
      h('thead', {}, h('tr', {}, head('Run'), head('Kind', 'wide'), head('Status'), head('Progress'),
        head('Best', 'num', ' ', this.bestHead), head('Latest', 'num', ' ', this.latestHead), head('Curve', 'wide'), head('ETA / time', 'num'))),
      this.body);
  }

  emptyState() {
    const command = commandBox(() => curl('v1/jobs', FIRST_RUN), 'the same run from a terminal');
    this.first = h('button', { type: 'button', class: 'primary big', onclick: () => this.startFirst() }, 'Start a first run');
    return h('section', { class: 'card empty', hidden: true },
      h('h2', {}, 'Nothing has been trained here yet'),
      h('p', {}, 'One click trains a convolutional autoencoder on Fashion-MNIST with the defaults. You watch its loss fall, see ' +
        'what it makes of test images, and drag its latent units while it learns.'),
      h('p', { class: 'actions' }, this.first, h('a', { class: 'button', href: '#/new' }, 'Choose parameters')),
      h('p', { class: 'quiet' }, 'Or the same from a terminal:'), command.node,
      h('h3', {}, 'Whatever can be trained here, each with parameters of your choice'), this.kindList);
  }

  /** What there is to begin with, and what goes on from a run that is done. */
  listKinds(kinds) {
    this.kindList.replaceChildren(...kinds.map(({ kind, description, from }) => h('li', {},
      h('a', { class: 'button', href: `#/new/${encodeURIComponent(kind)}` }, kind), h('span', {}, description,
        from && h('span', { class: 'quiet' }, ` Goes on from a finished run: ${from.join(' or ')}.`)))));
  }

  async startFirst() {
    this.first.disabled = true;
    try {
      const job = await post('v1/jobs', FIRST_RUN);
      location.hash = runHref(job);
    } catch (problem) {
      this.first.disabled = false;
      complain(problem);
    }
  }

  async showOlder() {
    this.wanted += PAGE;
    this.saveState();
    await this.refresh().catch(complain);
  }

  /** The newest `wanted` jobs, read anew each time, for each of them may change. Before them those that run but are older:
   * the queue is first in, first out. */
  async list() {
    const jobs = [];
    let more = true;
    while (more && jobs.length < this.wanted) {
      const after = jobs.length ? `&after=${jobs.at(-1).id}` : '';
      // A study stands for its children: its own page lists them.
      const page = await get(`v1/jobs?study=none&limit=${Math.min(MOST, this.wanted - jobs.length)}${after}`, this.signal);
      jobs.push(...page.data);
      more = page.has_more;
    }
    const running = more ? (await get(`v1/jobs?study=none&status=running,pausing,cancelling&limit=${MOST}`, this.signal)).data : [];
    const listed = new Set(jobs.map((job) => job.id));
    return { jobs: [...running.filter((job) => !listed.has(job.id)), ...jobs], more };
  }

  place(jobs) {
    const rows = new Map();
    for (const job of jobs) {
      const row = rows.get(job.id) ?? this.rows.get(job.id) ?? new Row(job);
      row.update(job, this.headlines.get(job.kind));
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
    const { wanted } = this;
    const { jobs, more } = await this.list();
    if (wanted !== this.wanted) return true; // there is a longer list on its way
    show(this.more, more);
    this.place(jobs);
    show(this.empty, !jobs.length);
    show(this.table, jobs.length > 0);
    this.sayHeads(jobs);
    this.sayTitle(jobs);
    if (this.top) scrollTo(0, this.top);
    this.top = 0;
    await Promise.all([...this.rows.values()].map((row) => row.drawSpark(this.signal).catch(() => {})));
    return jobs.some((job) => !terminal(job));
  }

  /** What "best" is best of, and "latest" the latest of, where all agree. */
  sayHeads(jobs) {
    const common = (names) => (new Set(names).size === 1 ? names[0] : '');
    setText(this.bestHead, common(jobs.filter((job) => job.best).map((job) => job.best.metric)));
    setText(this.latestHead, common(jobs.map((job) => this.headlines.get(job.kind))) ?? '');
  }

  async readKinds() {
    const { data } = await get('v1/kinds', this.signal);
    this.listKinds(data);
    this.headlines = new Map(data.map(({ kind, headlines }) => [kind, headlines[0]]));
  }

  sayTitle(jobs) {
    const running = jobs.filter((job) => job.status === 'running');
    const lead = running.length === 1 ? percent(progressOf(running[0])) : running.length ? `${running.length} running` : '';
    this.title(lead ? `${lead} · Runs` : 'Runs');
  }

  async run() {
    let active;
    await this.readKinds();
    [this.first.disabled, active] = await Promise.all([this.missing.refresh(this.signal), this.refresh()]);
    this.rememberScrolling();
    for (;;) {
      await pause(active ? 1000 : 3000, this.signal);
      if (!active) await visible(this.signal);
      if (this.signal.aborted) return;
      active = await this.refresh().catch((problem) => problem.away && this.title('not connected'));
    }
  }
}

/** From run to run. */
function move(direction) {
  const links = [...document.querySelectorAll('.run-link')];
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + direction))].focus();
  return true;
}

export function view(root, context) {
  const [down, up] = [() => move(1), () => move(-1)];
  context.keys({ j: down, ArrowDown: down, k: up, ArrowUp: up });
  return new RunsView(root, context).run();
}

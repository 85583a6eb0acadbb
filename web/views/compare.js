// views/compare.js: runs beside each other: their curves on shared axes, what they differ in, what came of them, what they painted.

import { curl, get } from '../lib/api.js';
import { slotOf } from '../lib/compare.js';
import { complain, copy, h, setText, show } from '../lib/dom.js';
import { percent, progressOf, terminal } from '../lib/format.js';
import { statusPill } from '../lib/status.js';
import { CompareCharts } from '../panels/compare_charts.js';
import { ComparePreviews } from '../panels/compare_previews.js';
import { CompareTable } from '../panels/compare_table.js';
import { jobName, runHref } from '../panels/runrow.js';

const MOST = 20;
const PATIENCE_MS = 300;

class CompareView {
  constructor(root, { id, signal, title }) {
    Object.assign(this, { root, signal, title, slots: new Map(), kinds: new Map() });
    this.ids = [...new Set(id.split(',').filter(Boolean))].slice(0, MOST);
    this.part = new AbortController();
    signal.addEventListener('abort', () => this.close());
  }

  async open() {
    const patience = setTimeout(() => this.root.replaceChildren(h('p', { class: 'quiet' }, 'Reading the runs…')), PATIENCE_MS);
    try {
      await this.show();
    } finally {
      clearTimeout(patience);
    }
  }

  /** Reads the runs that the address names, and puts up the page of them. */
  async show() {
    this.close();
    this.part = new AbortController();
    const { signal } = this.part;
    const jobs = await this.readJobs(this.ids);
    await this.readKinds(jobs);
    if (signal.aborted) return;
    this.jobs = jobs;
    this.ids = jobs.map((job) => job.id);
    this.chips = jobs.map((job) => this.chip(job));
    const look = { way: this.way, slot: (id) => slotOf(this.slots, id), swatch: (id) => this.swatch(id), signal, onmark: (id) => this.mark(id) };
    this.charts = jobs.length ? new CompareCharts(jobs, this.kinds, look) : null;
    this.table = new CompareTable(look);
    this.previews = new ComparePreviews(jobs, look);
    this.build();
    this.update();
    if (jobs.length) this.fill(signal);
  }

  fill(signal) {
    this.charts.read(this.jobs).catch(complain);
    this.previews.read().catch(() => {});
    this.charts.follow((live) => this.refresh(live), signal);
  }

  async readJobs(ids) {
    const all = await Promise.all(ids.map((id) => this.readJob(id).catch((problem) => this.without(problem))));
    return all.flat().filter((job, i, list) => list.findIndex(({ id }) => id === job.id) === i).slice(0, MOST);
  }

  /** A run; of a study its children: they are what there is to compare. */
  async readJob(id) {
    const job = await get(`v1/jobs/${encodeURIComponent(id)}`, this.signal);
    await this.readKinds([job]);
    if (!this.kinds.get(job.kind).results.includes('trials')) return job;
    this.way = 'range';
    return (await get(`v1/jobs?study=${job.id}&limit=${MOST}&order=asc`, this.signal)).data;
  }

  // One that is gone is no reason not to show the others.
  without(problem) {
    if (problem.status !== 404) throw problem;
    complain(problem);
    return [];
  }

  async readKinds(jobs) {
    const missing = [...new Set(jobs.map((job) => job.kind))].filter((kind) => !this.kinds.has(kind));
    const rows = await Promise.all(missing.map((kind) => get(`v1/kinds/${encodeURIComponent(kind)}`, this.signal)));
    for (const row of rows) this.kinds.set(row.kind, row);
  }

  /** Those that are at work, as they are now. */
  async refresh(live) {
    const now = await Promise.all(live.map((job) => get(`v1/jobs/${job.id}`, this.part.signal)));
    const grown = now.filter((job, i) => job.progress?.epoch !== live[i].progress?.epoch);
    for (const job of now) this.jobs[this.ids.indexOf(job.id)] = job;
    if (this.part.signal.aborted) return [];
    this.update();
    if (grown.length) this.previews.read(grown).catch(() => {});
    return now;
  }

  // --- what is seen --------------------------------------------------------------------------------------------------------

  swatch(id) {
    const slot = slotOf(this.slots, id);
    return h('span', { class: `swatch c${(slot % 10) + 1}${slot >= 10 ? ' dashed' : ''}`, 'aria-hidden': 'true' });
  }

  build() {
    this.heading = h('h1', { tabindex: '-1' }, 'Compare');
    const lines = () => copy(curl(this.charts.request));
    const few = this.jobs.length < 2;
    this.root.replaceChildren(
      h('div', { class: 'head compare-head' }, this.heading,
        h('span', { class: 'quiet' }, few ? 'two runs or more' : `${this.jobs.length} runs`),
        h('div', { class: 'actions' }, this.adder(),
          this.charts && h('button', { type: 'button', class: 'small', onclick: lines }, 'Copy as curl'))),
      h('ul', { class: 'compared-runs', 'aria-label': 'Runs that are compared' }, this.chips.map(({ node }) => node)),
      ...(this.charts ? [this.charts.node, this.table.node, this.previews.node] : [this.empty()]));
  }

  empty() {
    return h('section', { class: 'card empty' }, h('h2', {}, 'Nothing to compare yet'),
      h('p', {}, 'Add runs above; or select some in the list of runs (x) and press Compare (c).'),
      h('a', { class: 'button', href: '#/' }, 'All runs'));
  }

  chip(job) {
    const pill = statusPill();
    const share = h('span', { class: 'quiet num' });
    const node = h('li', { class: 'run-chip', 'data-id': job.id }, this.swatch(job.id),
      h('a', { href: runHref(job), title: jobName(job) }, jobName(job)), pill.node, share,
      h('button', { type: 'button', class: 'icon', 'aria-label': `Take ${jobName(job)} away`, onclick: () => this.take(job.id) }, '×'));
    const mark = (id) => () => this.mark(id);
    for (const type of ['pointerenter', 'focusin']) node.addEventListener(type, mark(job.id));
    for (const type of ['pointerleave', 'focusout']) node.addEventListener(type, mark());
    return { node, pill, share };
  }

  /** The newest runs that are not here yet, read when somebody wants one. */
  adder() {
    const add = () => this.select.value && this.change([...this.ids, this.select.value]);
    this.select = h('select', { 'aria-label': 'Add a run', onchange: add },
      h('option', { value: '' }, this.jobs.length >= MOST ? `${MOST} at most` : 'Add a run…'));
    this.select.disabled = this.jobs.length >= MOST;
    const fill = () => this.fillChoices().catch(complain);
    this.select.addEventListener('focus', fill, { once: true });
    return this.select;
  }

  async fillChoices() {
    const { data } = await get('v1/jobs?study=none&limit=100', this.signal);
    const options = data.filter((job) => !this.ids.includes(job.id))
      .map((job) => h('option', { value: job.id }, `${jobName(job)} (${job.kind}, ${job.status})`));
    this.select.replaceChildren(this.select.firstChild, ...options);
  }

  take(id) {
    this.slots.delete(id);
    this.change(this.ids.filter((other) => other !== id));
  }

  // The address follows, so that it may be sent to somebody; the page stays.
  async change(ids) {
    this.ids = ids;
    history.replaceState(history.state, '', `${location.pathname}${location.search}#/compare/${ids.map(encodeURIComponent).join(',')}`);
    await this.show().catch(complain);
    this.heading.focus({ preventScroll: true });
  }

  mark(id) {
    if (id === this.marked) return;
    this.marked = id;
    this.charts?.mark(id);
    for (const node of this.root.querySelectorAll('[data-id]')) node.classList.toggle('looked-at', node.dataset.id === id);
  }

  update() {
    this.jobs.forEach((job, i) => {
      this.chips[i].pill.set(job);
      setText(this.chips[i].share, terminal(job) ? '' : percent(progressOf(job)));
      show(this.chips[i].share, !terminal(job));
    });
    this.table.set(this.jobs);
    const running = this.jobs.filter((job) => !terminal(job)).length;
    this.title(`${running ? `${running} at work · ` : ''}Compare ${this.jobs.length} runs`);
  }

  close() {
    this.part.abort();
    this.charts?.close();
    this.charts = null;
  }
}

export function view(root, context) {
  return new CompareView(root, context).open();
}

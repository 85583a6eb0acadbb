// views/study.js: a study: what it has tried, what came of it, what mattered, and its best, live while it runs.
//
// All panels show the same trials: what one looks at (`mark`) is marked in all, what the brushes leave (`keep`) steps back in all.

import { curl, get } from '../lib/api.js';
import { commandBox, complain, h, setText, show, throttled } from '../lib/dom.js';
import { clock, duration, endedBy, loss, param, percent, progressOf, terminal, trained } from '../lib/format.js';
import { request, shortBase } from '../lib/request.js';
import { progressBar, statusPill } from '../lib/status.js';
import { followJob } from '../lib/hub.js';
import { axesOf, states, valueAxis } from '../lib/trials.js';
import { Actions } from '../panels/actions.js';
import { BestPanel } from '../panels/study_best.js';
import { Curves, CurvesPanel, groupName, RepeatsPanel } from '../panels/study_curves.js';
import { HistoryPanel } from '../panels/study_history.js';
import { ParallelPanel } from '../panels/study_parallel.js';
import { GalleryPanel, SheetPanel } from '../panels/study_sheet.js';
import { ImportancePanel, PairPanel, SlicesPanel } from '../panels/study_slices.js';
import { TrialsPanel } from '../panels/study_table.js';

const LIVE_MS = 1500;
const JUDGED = 3; // complete trials without which nothing can be said of what mattered
const WAITING = { queued: 'It waits for its turn.', running: 'Its first trial is about to begin.', pausing: 'It is being paused.',
  paused: 'It is paused, and has tried nothing yet.' };
const LATE_MS = 300; // what takes longer says that it is coming

/** A list of requests, each by its parts. */
const isRequest = (value) => value !== null && typeof value === 'object';
const told = (value) => (Array.isArray(value) && value.some(isRequest) ? value.map((one) => param(one) || 'as the base').join('; ') : param(value));

class StudyView {
  constructor(root, { id, signal, title }) {
    Object.assign(this, { root, ref: id, signal, title, panels: [] });
    this.ask = throttled(() => this.read().catch((problem) => this.sayStale(problem)), LIVE_MS / 2);
    signal.addEventListener('abort', () => this.close());
  }

  async open() {
    const late = setTimeout(() => this.root.replaceChildren(h('p', { class: 'quiet' }, 'Loading the study…')), LATE_MS);
    try {
      this.job = await get(`v1/jobs/${encodeURIComponent(this.ref)}`, this.signal);
      this.kind = await get(`v1/kinds/${this.job.kind}`, this.signal);
      if (!this.kind.results.includes('trials')) return location.replace(`#/runs/${this.job.id}`);
      this.base = await get(`v1/kinds/${this.job.params.base.kind}`, this.signal);
    } finally {
      clearTimeout(late);
    }
    this.path = `v1/jobs/${this.job.id}`;
    this.curves = null;
    this.build();
    await this.read();
    if (!terminal(this.job)) this.follow();
  }

  follow() {
    this.timer = setInterval(() => document.visibilityState === 'visible' && this.ask(), LIVE_MS);
    this.stream = new AbortController();
    followJob(this.job.id, { after: 0, signal: this.stream.signal, onEvent: () => this.ask(), onOpen: () => this.ask() });
  }

  unfollow() {
    clearInterval(this.timer);
    this.stream?.abort();
    this.stream = null;
  }

  // --- what the daemon says --------------------------------------------------------------------------------------------

  async read() {
    // A study without a complete trial has no best and no importance yet: that is an answer, not a failure.
    const none = (problem) => { if (problem.status !== 409) throw problem; return null; };
    this.job = await get(this.path, this.signal);
    const rows = await get(`${this.path}/trials`, this.signal);
    const complete = rows.data.filter(({ phase, state }) => phase === 'trial' && state === 'complete').length;
    const [best, importance] = await Promise.all([complete ? get(`${this.path}/best`, this.signal).catch(none) : null,
      complete >= JUDGED && !this.alike ? get(`${this.path}/importance`, this.signal).catch(none) : null]);
    this.found = best;
    this.setStudy(rows);
    this.showJob();
    await this.best.set(this.found, this.study);
    this.importance.set(importance?.data ?? null, `Told once ${JUDGED} trials are complete.`, complete);
    this.pair.set(this.study, (importance?.data ?? []).map(({ name }) => name));
    await this.readCurves(rows.data).catch(complain);
    show(this.stale, false);
    if (this.stream && terminal(this.job)) this.finish();
  }

  setStudy({ data, names, metric, direction }) {
    const trials = data.filter(({ phase }) => phase === 'trial');
    const { enqueue, sampler } = this.job.params;
    const first = (enqueue ?? (sampler === 'grid' ? [] : [{}])).length > 0 ? trials.find(({ number }) => number === 0) : null;
    this.study = { trials, names, metric, direction, name: this.job.name || this.job.id, status: this.job.status,
      retrains: data.filter(({ phase }) => phase === 'retrain'), after: data.filter(({ phase, job }) => phase === 'after' && job),
      axes: axesOf(names, this.job.params.space, trials), value: valueAxis(metric, trials), best: this.found?.best.trial,
      baseline: first && first.value !== null ? first : null };
    const text = JSON.stringify([this.study, this.found?.best]);
    if (text === this.shown) return;
    this.shown = text;
    for (const panel of [this.history, this.parallel, this.slices, this.gallery, this.sheet, this.trials]) panel?.set(this.study);
    show(this.waiting, trials.length === 0);
    setText(this.waiting.firstChild, WAITING[this.job.status] ?? 'It has ended without a trial.');
  }

  async readCurves(rows) {
    this.curves ??= new Curves(this.study.metric, this.signal);
    if (!await this.curves.read(rows.filter(({ phase }) => phase !== 'after'))) return;
    this.curvesPanel.set(this.study, this.curves);
    this.repeats.set(this.study.trials, this.study, this.curves, groupName);
    this.retrained.set(this.study.retrains, this.study, this.curves, ({ trials }) => `trial ${trials[0].of}`);
  }

  sayStale(problem) {
    if (problem.name === 'AbortError' || problem.away) return; // the frame says so
    setText(this.stale, problem.status === 404 ? 'This study has been deleted.' : `Not up to date: ${problem.message}`);
    show(this.stale, true);
    if (problem.status === 404) this.unfollow();
  }

  finish() {
    this.unfollow();
    this.ask();
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------

  build() {
    const handlers = { onMark: (number, spoken) => this.mark(number, spoken), onPick: (number) => this.openTrial(number) };
    const { params } = this.job;
    const grid = params.sampler === 'grid';
    this.alike = Object.keys(params.space).every((name) => name === 'seed');
    const full = this.base.presets.find(({ name }) => name === params.base.preset)?.params.epochs ?? params.base.params.epochs;
    this.best = new BestPanel(this.base, Math.max(params.retrain?.params?.epochs ?? 0, full), { ...handlers, signal: this.signal });
    this.history = new HistoryPanel(handlers);
    this.parallel = new ParallelPanel({ ...handlers, onFilter: (kept) => this.keep(kept) });
    this.slices = new SlicesPanel(handlers);
    this.pair = new PairPanel(handlers);
    this.importance = new ImportancePanel();
    this.curvesPanel = new CurvesPanel(handlers);
    const toRun = { onPick: (job) => { location.hash = `#/runs/${job}`; } };
    this.repeats = new RepeatsPanel({ ...toRun, title: 'Repeats on other seeds' });
    this.retrained = new RepeatsPanel({ ...toRun, title: 'Trained again, in full' });
    this.gallery = this.base.abilities.includes('sample') ? new GalleryPanel({ ...handlers, signal: this.signal, grid,
      after: params.after }) : null;
    this.sheet = new SheetPanel(this.path, this.signal, grid);
    this.trials = new TrialsPanel(this.path, handlers);
    this.panels = [this.best, this.history, this.parallel, this.slices, this.gallery, this.curvesPanel, this.sheet, this.trials]
      .filter(Boolean);
    this.marked = [this.history.plot, this.pair.plot, this.curvesPanel.plot];
    this.layOut();
  }

  layOut() {
    this.stale = h('p', { class: 'card warn', role: 'status', hidden: true });
    this.waiting = h('section', { class: 'card', hidden: true },
      h('p', { class: 'quiet' }));
    // Where trials differ in nothing but the seed, what they have in common is what there is to see.
    const told = this.alike ? [this.repeats.node] : [this.history.node, this.curvesPanel.node];
    const compared = this.alike ? [] : [this.parallel.node, this.repeats.node];
    const parameters = this.alike ? [] : [h('div', { class: 'study-pair' }, this.slices.node, this.pair.node)];
    this.root.replaceChildren(this.header(), this.stale, this.error, this.waiting,
      h('div', { class: 'study-grid' }, h('div', { class: 'column' }, told),
        h('div', { class: 'column' }, this.best.node, this.alike ? '' : this.importance.node)),
      ...compared, this.retrained.node, this.gallery?.node ?? '', ...parameters, this.trials.node, this.sheet.node, this.details());
  }

  header() {
    const { name, id, kind, preset, params } = this.job;
    this.pill = statusPill();
    this.bar = progressBar('Progress of this study');
    this.announce = h('span', { class: 'offscreen', role: 'status' });
    this.heading = h('h1', { tabindex: '-1', title: name || id }, name || id);
    this.facts = h('dl', { class: 'facts' });
    this.error = h('section', { class: 'card warn', role: 'alert', hidden: true });
    this.actions = new Actions(this.job, this.signal, { before: () => {}, after: (what, taken) => this.onAction(what, taken),
      leave: () => this.heading.focus({ preventScroll: true }) });
    return h('section', { class: 'run-head study-head' },
      h('div', { class: 'head' }, this.heading, this.pill.node,
        h('span', { class: 'quiet' }, [kind, preset, `of ${params.base.kind}`, name && id].filter(Boolean).join(' · ')), this.announce,
          this.actions.node),
      h('div', { class: 'run-progress' }, this.bar.node), this.facts);
  }

  details() {
    const { base, ...rest } = this.job.params;
    const rows = [['base', `${base.kind}, preset ${base.preset}`], ...Object.entries(rest).filter(([name]) => name !== 'space')];
    const space = Object.entries(rest.space).map(([name, row]) => h('div', {}, h('dt', {}, name),
      h('dd', {}, JSON.stringify(row).replaceAll('"', ''))));
    return h('section', { class: 'card', 'aria-labelledby': 'details-title' }, h('h2', { id: 'details-title' }, 'How it was asked for'),
      h('h3', {}, 'The space'), h('dl', { class: 'params wide-params' }, space), h('h3', {}, 'Everything else'),
      h('dl', { class: 'params' }, rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, told(value))))),
      h('h3', {}, 'The same study from a terminal'), commandBox(() => curl('v1/jobs',
        request(this.kind, { ...this.job, name: '', params: shortBase(this.job.params, this.base) })),
        'command that repeats this study').node,
      h('p', { class: 'control' }, h('a', { href: `#/new/${this.job.kind}?like=${this.job.id}` }, 'Open it in the form')));
  }

  showJob() {
    const { job } = this;
    if (this.pill.node.dataset.status !== job.status) setText(this.announce, `The study is ${job.status}`);
    this.pill.set(job);
    this.bar.set(progressOf(job));
    this.actions.update(job);
    show(this.error, Boolean(job.error));
    if (job.error) this.error.replaceChildren(h('h2', {}, `Failed: ${job.error.code}`), h('p', { class: 'detail' }, job.error.detail));
    this.showFacts();
    this.title(`${terminal(job) ? job.status : percent(progressOf(job)) || job.status} · ${job.name || job.id}`);
  }

  showFacts() {
    const { job } = this;
    const p = job.progress ?? {};
    const counts = [...states(this.study?.trials ?? [])].filter(([state]) => state !== 'complete').map(([state, n]) => `${n} ${state}`);
    const facts = [
      ['runs', `${p.epoch ?? 0} / ${p.epochs || '–'}`],
      ...(counts.length ? [['among them', counts.join(', ')]] : []),
      [job.best ? `best ${job.best.metric}` : 'best', job.best ? `${loss(job.best.value)} (trial ${job.best.trial})` : '–'],
      terminal(job) ? ['computed for', trained(job)] : ['time left', duration(p.eta_ms)],
      ['started', clock(job.started_at_ms)], ['sampler', job.params.sampler], ['pruner', job.params.pruner],
      ...(endedBy(job) ? [['ended by', endedBy(job)]] : []),
    ];
    this.facts.replaceChildren(...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
  }

  // --- what is looked at -----------------------------------------------------------------------------------------------

  /** `spoken`: it was chosen by key, so that it is said. */
  mark(number, spoken) {
    for (const panel of [...this.panels, ...this.marked, ...this.slices.plots]) panel.mark?.(number);
    if (!spoken) return;
    const trial = this.study.trials.find((one) => one.number === number);
    if (trial) setText(this.announce, `trial ${number}, ${trial.state}, ${loss(trial.value)}`);
  }

  keep(kept) {
    for (const panel of [...this.panels, ...this.marked, ...this.slices.plots]) panel.keep?.(kept);
  }

  openTrial(number) {
    const job = this.study.trials.find((trial) => trial.number === number)?.job;
    if (job) location.hash = `#/runs/${job}`;
  }

  onAction(name, taken) {
    if (name === 'delete' && taken) location.hash = '#/';
    else if (name === 'retry' && taken && !this.stream) this.read().then(() => !terminal(this.job) && this.follow()).catch(complain);
    else this.ask();
  }

  close() {
    this.unfollow();
    this.ask.cancel();
    for (const panel of [...this.panels, ...(this.marked ?? []), ...(this.slices?.plots ?? [])]) panel.close?.();
  }
}

export function view(root, context) {
  return new StudyView(root, context).open();
}

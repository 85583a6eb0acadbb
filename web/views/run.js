// views/run.js: one run: how it does, its curves, previews and latent units, live while it trains.

import { get } from '../lib/api.js';
import { h, show, throttled } from '../lib/dom.js';
import { percent, progressOf, terminal } from '../lib/format.js';
import { marksOf } from '../lib/history.js';
import { followJob } from '../lib/hub.js';
import { Actions } from '../panels/actions.js';
import { AlertsCard } from '../panels/alerts.js';
import { AtlasPanel } from '../panels/atlas.js';
import { CheckpointsPanel } from '../panels/checkpoints.js';
import { ClassesPanel } from '../panels/classes.js';
import { CurvesPanel } from '../panels/curves.js';
import { EditPanel } from '../panels/edit.js';
import { EventsPanel } from '../panels/events.js';
import { FilesPanel } from '../panels/files.js';
import { JudgePanel } from '../panels/judge.js';
import { LatentPanel } from '../panels/latent.js';
import { MapPanel } from '../panels/map.js';
import { ParamsPanel } from '../panels/params.js';
import { PreviewPanel } from '../panels/preview.js';
import { RunHead } from '../panels/runhead.js';
import { SamplesPanel } from '../panels/samples.js';
import { Sections } from '../panels/sections.js';
import { StateCard } from '../panels/state.js';
import { UnitsPanel } from '../panels/units.js';
import { WalkPanel } from '../panels/walk.js';

const DETAIL_MS = 2000; // between two readings of a list that grows
const IDLE_MS = 10000; // between two looks at a run that has ended: it may be tried again, or deleted, elsewhere

/** What happened last, so that the stream can begin where the pictures of the page were taken. */
async function newestEvent(path, signal) {
  const page = await get(`${path}/events?order=desc&limit=1`, signal);
  return page.data[0]?.seq ?? 0;
}

class RunView {
  constructor(root, { id, signal, title }) {
    this.root = root;
    this.ref = id;
    this.signal = signal;
    this.title = title;
    this.askJob = throttled(() => this.path && this.readJob().catch((problem) => this.onLost(problem)), 250);
    this.askCheckpoints = throttled(() => this.kind.trains && this.checkpoints.read().catch(() => {}), DETAIL_MS);
    signal.addEventListener('abort', () => this.close());
    const look = () => document.visibilityState === 'visible' && this.askJob();
    document.addEventListener('visibilitychange', look, { signal });
    this.idle = setInterval(() => !this.stream && look(), IDLE_MS);
  }

  async open() {
    this.job = await get(`v1/jobs/${encodeURIComponent(this.ref)}`, this.signal);
    this.path = `v1/jobs/${this.job.id}`;
    this.kind = await get(`v1/kinds/${this.job.kind}`, this.signal);
    if (this.kind.results.includes('trials')) return location.replace(`#/study/${this.job.id}`);
    if (this.kind.results.includes('projection')) return location.replace(`#/map/${this.job.id}`);
    this.build();
    this.showJob();
    this.readParent().catch(() => {}); // it may be gone
    await this.start();
  }

  // The event number comes first: whatever happens during the readings after it is told again by the stream.
  async start() {
    this.starting = true;
    try {
      await this.readAndFollow();
    } finally {
      this.starting = false;
    }
  }

  async readAndFollow() {
    const after = terminal(this.job) ? null : await newestEvent(this.path, this.signal);
    await Promise.all([this.readJob(), this.curves.readAll(), this.previews.read(), this.events.read()]);
    this.files.setPreviews(this.previews.moments.length > 0);
    this.askCheckpoints();
    if (terminal(this.job)) await this.loadKept();
    else if (this.kind.trains && this.previews.moments.length) this.latent.load();
    if (after === null) return;
    this.poll = setInterval(() => document.visibilityState === 'hidden' && this.askJob(), 5000);
    this.stream = new AbortController();
    followJob(this.job.id, {
      after, signal: this.stream.signal, onEvent: (type, data) => this.onEvent(type, data), onOpen: () => this.onOpen(),
    });
  }

  /** What it was forked from has parameters to compare. */
  async readParent() {
    if (!this.job.from || this.kind.from) return;
    this.params.setParent(await get(`v1/jobs/${this.job.from.job}`, this.signal));
  }

  // --- what happens ----------------------------------------------------------------------------------------------------

  /** There are weights: to download, to draw new images from. */
  onWeights(model) {
    this.files.setWeights(true);
    for (const panel of [this.samples, this.walk, this.atlas, this.judge]) panel.set(model);
    this.sections.update();
  }

  onOpen() {
    this.askJob();
    this.curves.read();
  }

  onEvent(type, data) {
    if (type === 'metrics') this.onMetrics(data);
    else if (type === 'preview') this.previews.add(data);
    else if (type === 'checkpoint') this.askCheckpoints();
    this.events.add(type, data);
    // Both are made of weights that have been published.
    if (this.kind.trains && (type === 'metrics' || type === 'preview')) this.latent.onProgress();
    this.askJob();
  }

  onMetrics(data) {
    this.curves.add(data);
    if (!data.epoch_end) return;
    this.units.onEpoch();
    if (this.kind.trains) this.latent.onEpoch();
  }

  onEvents(events) {
    this.alerts.setEvents(events);
    this.curves.setMarks(marksOf(events, this.job, !this.kind.from));
  }

  /** A run that somebody deletes meanwhile is no longer there to be shown. */
  onLost(problem) {
    if (problem.status !== 404 || this.gone) return;
    this.gone = true;
    this.close();
    this.title('Deleted');
    this.root.replaceChildren(h('section', { class: 'card empty', role: 'status' }, h('h1', {}, 'This run has been deleted'),
      h('p', {}, `${this.job.name || this.job.id} is not there any more: its curves, pictures and checkpoints went with it.`),
      h('a', { class: 'button', href: '#/' }, 'All runs')));
  }

  /** Nothing more will come: everything once more as it stays. */
  finish() {
    this.stopFollowing();
    this.hold();
    for (const reading of [this.previews.read(), this.curves.readAll(), this.events.read(), this.loadKept()]) reading.catch(() => {});
  }

  /** What a run has published goes away when it ends. */
  hold() {
    this.latent.hold();
    this.atlas.hold();
  }

  /** A run that has ended serves what it has saved, which may be nothing. */
  async loadKept() {
    const { data } = await get(`${this.path}/checkpoints`, this.signal);
    if (data.length) this.latent.load(this.job.best ? 'best' : 'last');
    else this.latent.sayNone();
    if (!this.previews.moments.length) this.previews.sayNone();
    if (this.job.status === 'succeeded') await this.classes?.load();
    else this.classes?.sayNone();
    if (data.length && this.kind.abilities.includes('encode')) await this.map.load();
    this.sections.update();
  }

  stopFollowing() {
    clearInterval(this.poll);
    this.stream?.abort();
    this.stream = null;
  }

  async readJob() {
    this.job = await get(this.path, this.signal);
    this.showJob();
    if (this.stream && terminal(this.job)) this.finish();
    else if (!this.stream && !this.starting && !terminal(this.job)) await this.restart();
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------

  build() {
    const { job, kind, path, signal } = this;
    this.actions = new Actions(job, signal, {
      before: (name) => name === 'cancel' && this.hold(),
      after: (name, taken) => this.onAction(name, taken),
      leave: () => this.head.leave(),
    });
    this.head = new RunHead(job, kind, this.actions.node);
    this.state = new StateCard(path, signal);
    this.alerts = new AlertsCard();
    this.curves = new CurvesPanel(kind, job, path, signal);
    this.units = new UnitsPanel(kind, path, this.curves.group, signal);
    this.classes = kind.abilities.includes('classify') ? new ClassesPanel(path, signal) : null;
    this.previews = new PreviewPanel(path, signal);
    this.checkpoints = new CheckpointsPanel(kind, job, path, signal, (fork) => { location.hash = `#/runs/${fork.id}`; });
    this.events = new EventsPanel(path, signal, (events) => this.onEvents(events));
    this.edit = new EditPanel(kind, path, this.askJob);
    this.latent = new LatentPanel(job, { signal, onWeights: (model) => this.onWeights(model) });
    this.samples = new SamplesPanel(job, signal);
    this.walk = new WalkPanel(job, signal);
    this.atlas = new AtlasPanel(job, signal);
    this.judge = new JudgePanel(job, signal);
    this.map = new MapPanel(job, signal);
    this.params = new ParamsPanel(kind);
    this.files = new FilesPanel(job, kind, path);
    if (!kind.abilities.includes('decode')) this.withoutPictures();
    this.lay();
  }

  withoutPictures() {
    for (const panel of [this.latent, this.samples, this.walk, this.atlas, this.judge]) show(panel.node, false); // nothing of it can be painted
    show(this.previews.node, !this.kind.trains);
  }

  lay() {
    const column = (...panels) => h('div', { class: 'column' }, panels.map((panel) => panel?.node));
    const made = [this.checkpoints, this.events, this.params, this.files];
    const painted = this.kind.abilities.includes('decode'); // else nothing stands beside the curves but what else there is
    const grid = h('div', { class: 'run-grid' },
      column(this.curves, this.units, this.classes, this.previews, ...(painted ? made : [])),
      column(this.edit, this.latent, this.samples, this.walk, this.atlas, this.judge, this.map, ...(painted ? [] : made)));
    this.sections = new Sections(grid, this.job.kind, [['Curves', this.curves.node], ['Previews', this.previews.node], ['Latent', this.latent.node],
      ['Checkpoints', this.checkpoints.node], ['Log', this.events.node], ['Parameters', this.params.node], ['Files', this.files.node]], this.signal);
    this.root.replaceChildren(this.head.node, this.state.node, this.alerts.node, this.sections.node, grid);
  }

  showJob() {
    const { job } = this;
    for (const panel of [this.head, this.state, this.actions, this.params, this.files, this.edit, this.checkpoints]) panel.update(job);
    this.curves.setStart(job.started_at_ms);
    this.units.set(job.metrics);
    this.alerts.setWarnings(job.warnings ?? []);
    this.files.setPreviews(this.previews.moments.length > 0);
    this.sections.update();
    this.title(`${terminal(job) ? job.status : percent(progressOf(job)) || job.status} · ${job.name || job.id}`);
  }

  onAction(name, taken) {
    if (name === 'cancel' && !taken && this.kind.trains) this.latent.load();
    if (name === 'delete' && taken) location.hash = '#/';
    else this.askJob();
  }

  /** A run that is tried again is followed again. */
  async restart() {
    this.curves.clear();
    await this.start();
  }

  close() {
    this.stopFollowing();
    clearInterval(this.idle);
    this.askJob.cancel();
    this.askCheckpoints.cancel();
    for (const panel of [this.curves, this.units, this.latent]) panel?.close();
  }
}

export function view(root, context) {
  const waiting = h('p', { class: 'quiet', hidden: true, role: 'status' }, 'Loading…');
  setTimeout(() => show(waiting, true), 300); // what comes at once needs no word
  root.replaceChildren(waiting);
  return new RunView(root, context).open();
}

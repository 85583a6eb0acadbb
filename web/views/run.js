// views/run.js: one run: how it does, its curves, previews and latent units, live while it trains.

import { curl, download, get, hasToken, url } from '../lib/api.js';
import { commandBox, complain, h, setText, show, throttled } from '../lib/dom.js';
import { clock, count, duration, endedBy, loss, param, gapText, measured, percent, progressOf, terminal, trained } from '../lib/format.js';
import { Actions } from '../panels/actions.js';
import { AtlasPanel } from '../panels/atlas.js';
import { CheckpointsPanel } from '../panels/checkpoints.js';
import { ClassesPanel } from '../panels/classes.js';
import { CurvesPanel } from '../panels/curves.js';
import { EditPanel } from '../panels/edit.js';
import { JudgePanel } from '../panels/judge.js';
import { LatentPanel } from '../panels/latent.js';
import { MapPanel } from '../panels/map.js';
import { PreviewPanel } from '../panels/preview.js';
import { SamplesPanel } from '../panels/samples.js';
import { UnitsPanel } from '../panels/units.js';
import { WalkPanel } from '../panels/walk.js';
import { request, same } from '../lib/request.js';
import { progressBar, statusPill } from '../lib/status.js';
import { follow } from '../lib/stream.js';

const DETAIL_MS = 2000; // between two readings of the whole curve while it grows

/** What happened last, so that the stream can begin where the pictures of the page were taken. */
async function newestEvent(path, signal) {
  const page = await get(`${path}/events?order=desc&limit=1`, signal);
  return page.data[0]?.seq ?? 0;
}

/** What the end of a run is worth, as far as single numbers say it. */
const testFacts = (test) => Object.entries(test).filter(([, value]) => typeof value === 'number')
  .map(([name, value]) => [`test ${name}`, measured(name, value)]);

class RunView {
  constructor(root, { id, signal, title }) {
    this.root = root;
    this.ref = id;
    this.signal = signal;
    this.title = title;
    this.askJob = throttled(() => this.readJob().catch(() => {}), 250);
    this.askCheckpoints = throttled(() => this.kind.trains && this.checkpoints.read().catch(() => {}), DETAIL_MS);
    signal.addEventListener('abort', () => this.close());
  }

  async open() {
    this.job = await get(`v1/jobs/${encodeURIComponent(this.ref)}`, this.signal);
    this.path = `v1/jobs/${this.job.id}`;
    this.kind = await get(`v1/kinds/${this.job.kind}`, this.signal);
    if (this.kind.results.includes('trials')) return location.replace(`#/study/${this.job.id}`);
    this.build();
    this.showJob();
    await this.start();
  }

  // The event number comes first: whatever happens during the readings after it is told again by the stream.
  async start() {
    const after = terminal(this.job) ? null : await newestEvent(this.path, this.signal);
    await Promise.all([this.readJob(), this.curves.readAll(), this.previews.read()]);
    show(this.timelapse, this.previews.moments.length > 0);
    this.askCheckpoints();
    if (terminal(this.job)) await this.loadKept();
    else if (this.kind.trains && this.previews.moments.length) this.latent.load();
    if (after === null) return;
    this.poll = setInterval(() => document.visibilityState === 'hidden' && this.askJob(), 5000);
    this.stream = new AbortController();
    follow(`${this.path}/events`, {
      after, signal: this.stream.signal, onEvent: (type, data) => this.onEvent(type, data), onOpen: () => this.onOpen(),
    });
  }

  /** There are weights: to download, to draw new images from. */
  onWeights(model) {
    this.ofWeights.forEach((link) => show(link, true));
    this.samples.set(model);
    this.walk.set(model);
    this.atlas.set(model);
    this.judge.set(model);
  }

  onOpen() {
    this.askJob();
    this.curves.read();
  }

  onEvent(type, data) {
    if (type === 'metrics') this.onMetrics(data);
    else if (type === 'preview') this.previews.add(data);
    else if (type === 'checkpoint') this.askCheckpoints();
    // Both are made of weights that have been published.
    if (this.kind.trains && (type === 'metrics' || type === 'preview')) this.latent.onProgress();
    this.askJob();
  }

  onMetrics(data) {
    this.curves.add(data);
    if (data.epoch_end && this.kind.trains) this.latent.onEpoch();
  }

  /** Nothing more will come: everything once more as it stays. */
  finish() {
    this.stopFollowing();
    this.hold();
    this.previews.read().catch(() => {});
    this.curves.readAll().catch(() => {});
    this.loadKept().catch(() => {});
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
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------

  build() {
    this.pill = statusPill();
    this.bar = progressBar('Progress of this run');
    this.actions = new Actions(this.job, this.signal, {
      before: (name) => name === 'cancel' && this.hold(),
      after: (name, taken) => this.onAction(name, taken),
      leave: () => this.heading.focus({ preventScroll: true }),
    });
    this.error = h('section', { class: 'card warn', role: 'alert', hidden: true });
    this.warnings = h('ul', { class: 'card warn', hidden: true });
    this.facts = h('dl', { class: 'facts' });
    this.curves = new CurvesPanel(this.kind, this.job, this.path, this.signal);
    this.classes = this.kind.abilities.includes('classify') ? new ClassesPanel(this.path, this.signal) : null;
    this.units = new UnitsPanel(this.kind);
    this.edit = new EditPanel(this.kind, this.path, this.askJob);
    this.checkpoints = new CheckpointsPanel(this.kind, this.path, this.signal, (job) => { location.hash = `#/runs/${job.id}`; });
    this.previews = new PreviewPanel(this.path, this.signal);
    this.latent = new LatentPanel(this.job, { signal: this.signal, onWeights: (model) => this.onWeights(model) });
    this.samples = new SamplesPanel(this.job, this.signal);
    this.walk = new WalkPanel(this.job, this.signal);
    this.atlas = new AtlasPanel(this.job, this.signal);
    this.judge = new JudgePanel(this.job, this.signal);
    this.map = new MapPanel(this.job, this.signal);
    this.root.replaceChildren(this.header(), this.error, this.warnings, h('div', { class: 'run-grid' },
      h('div', { class: 'column' }, this.curves.node, this.classes?.node, this.units.node, this.previews.node),
      h('div', { class: 'column' }, this.latent.node, this.samples.node, this.walk.node, this.atlas.node, this.judge.node, this.map.node, this.edit.node, this.checkpoints.node, this.details())));
    if (this.kind.abilities.includes('decode')) return;
    for (const panel of [this.latent, this.samples, this.walk, this.atlas, this.judge]) show(panel.node, false); // nothing of it can be painted
    show(this.previews.node, !this.kind.trains);
  }

  header() {
    const { name, id, kind, preset } = this.job;
    this.announce = h('span', { class: 'offscreen', role: 'status' });
    this.heading = h('h1', { tabindex: '-1', title: name || id }, name || id);
    return h('section', { class: 'run-head' },
      h('div', { class: 'head' }, this.heading, this.pill.node,
        h('span', { class: 'quiet' }, [kind, preset, name && id].filter(Boolean).join(' · '), this.origin()), this.announce, this.actions.node),
      h('div', { class: 'run-progress' }, this.bar.node), this.facts);
  }

  /** What it goes on from, and whose end it waits for. */
  origin() {
    const { from, depends_on: others, trial } = this.job;
    const run = (id, text) => h('a', { href: `#/runs/${id}` }, text);
    return [trial && [` · ${trial.phase} ${trial.number} of `, run(trial.study, trial.study)], from && [' · from ', run(from.job, `${from.job}@${from.checkpoint}`)],
      others?.length && [' · after ', others.map((id, i) => [i ? ', ' : '', run(id, id)])]].filter(Boolean).flat(3);
  }

  details() {
    this.params = h('dl', { class: 'params' });
    this.repeat = commandBox(() => curl('v1/jobs', request(this.kind, { ...this.job, name: '' })), 'command that repeats this run');
    return h('section', { class: 'card', 'aria-labelledby': 'details-title' }, h('h2', { id: 'details-title' }, 'Parameters and files'),
      this.links(), this.params,
      h('h3', {}, 'The same run from a terminal'), this.repeat.node,
      h('h3', {}, 'Watch it there'), commandBox(() => curl(`${this.path}/events.txt`).replace('curl', 'curl -N'), 'command that follows this run').node);
  }

  /** They may change while it runs. */
  showParams(job) {
    const text = JSON.stringify(job.params);
    if (text === this.shownParams) return;
    this.shownParams = text;
    const schema = this.kind.params.properties;
    const preset = this.kind.presets.find((p) => p.name === job.preset)?.params ?? {};
    this.params.replaceChildren(...Object.entries(job.params ?? {})
      .sort(([a], [b]) => (schema[a]?.order ?? 0) - (schema[b]?.order ?? 0))
      .map(([name, value]) => h('div', { title: schema[name]?.description,
        class: same(value, preset[name] ?? value) ? '' : 'changed' }, h('dt', {}, name), h('dd', {}, param(value)))));
    this.repeat.update();
  }

  links() {
    const { id } = this.job;
    // They lead nowhere before there are weights.
    this.ofWeights = [
      this.link('weights', `v1/models/${id}/weights`, `${id}.safetensors`),
      this.link('pytorch.py', `v1/models/${id}/pytorch.py`, 'pytorch.py'),
      ...(this.kind.abilities.includes('encode') ? ['csv', 'npy'].map((form) => this.link(`codes.${form}`, `v1/models/${id}/latents.${form}`, `${id}-codes.${form}`)) : []),
    ];
    this.ofWeights.forEach((link) => show(link, false));
    this.timelapse = this.link('timelapse.png', `${this.path}/timelapse.png`, `${id}-timelapse.png`); // of previews, once there are some
    return h('p', { class: 'links' }, this.ofWeights, this.timelapse, this.link('metrics.csv', `${this.path}/metrics.csv`, `${id}.csv`),
      this.link('curves.svg', `${this.path}/curves.svg`, `${id}.svg`),
      this.kind.results.includes('projection') && ['png', 'csv', 'npy'].map((form) => this.link(`projection.${form}`,
        `${this.path}/projection.${form}`, `${id}-projection.${form}`)),
      this.classes && [this.link('confusion.png', `${this.path}/confusion.png`, `${id}-confusion.png`),
        this.link('confusion.csv', `${this.path}/confusion.csv`, `${id}-confusion.csv`)], this.link('job.json', this.path, `${id}.json`),
      this.link('bundle.tar', `${this.path}/bundle.tar`, `${id}.tar`));
  }

  link(text, path, filename) {
    return h('a', { href: url(path), download: filename, onclick: (event) => this.fetchLink(event, path, filename) }, text);
  }

  // A plain link cannot bring the token along.
  async fetchLink(event, path, filename) {
    if (!hasToken()) return;
    event.preventDefault();
    await download(path, filename).catch(complain);
  }

  showJob() {
    const { job } = this;
    const share = progressOf(job);
    if (this.pill.node.dataset.status !== job.status) setText(this.announce, `Run is ${job.status}`);
    this.pill.set(job);
    this.bar.set(share);
    this.actions.update(job);
    this.curves.setStart(job.started_at_ms);
    this.showFacts(job, share);
    this.units.set(job.metrics);
    this.showParams(job);
    show(this.timelapse, this.previews.moments.length > 0);
    this.edit.update(job);
    this.checkpoints.update(job);
    show(this.error, job.error !== null && job.error !== undefined);
    if (job.error) this.error.replaceChildren(h('h2', {}, `Failed: ${job.error.code}`), h('p', { class: 'detail' }, job.error.detail));
    show(this.warnings, job.warnings?.length > 0);
    this.warnings.replaceChildren(...(job.warnings ?? []).map((text) => h('li', {}, text)));
    this.title(`${terminal(job) ? job.status : percent(share) || job.status} · ${job.name || job.id}`);
  }

  showFacts(job, share) {
    const p = job.progress ?? {};
    const facts = [
      ['epoch', `${p.epoch ?? 0} / ${p.epochs ?? '–'}`],
      ['done', percent(share) || '0%'],
      ['step', `${count(p.step ?? 0)} / ${count(p.steps)}`],
      ['speed', p.samples_per_s ? `${count(p.samples_per_s)} ${this.kind.trains ? 'images' : 'points'}/s` : '–'],
      terminal(job) ? [this.kind.trains ? 'trained for' : 'took', trained(job)] : ['time left', duration(p.eta_ms)],
      this.kind.trains && [job.best?.metric ? `best ${job.best.metric}` : 'best',
        job.best ? `${loss(job.best.value)} (epoch ${job.best.epoch})` : '–'],
      ...(job.test ? testFacts(job.test) : [['started', clock(job.started_at_ms)]]),
    ].filter(Boolean);
    if (job.from && terminal(job)) facts.push(['with what it goes on from', duration(job.lineage_train_s * 1000)]);
    if (job.generalisation_gap) facts.push(['generalisation gap', gapText(job.generalisation_gap)]);
    if (job.queue_position) facts.push(['in the queue', `#${job.queue_position}`]);
    if (endedBy(job)) facts.push(['ended by', endedBy(job)]);
    while (this.facts.children.length < facts.length) this.facts.append(h('div', {}, h('dt'), h('dd')));
    while (this.facts.children.length > facts.length) this.facts.lastChild.remove();
    facts.forEach(([name, value], i) => {
      setText(this.facts.children[i].children[0], name);
      setText(this.facts.children[i].children[1], value);
    });
  }

  /** A run that is tried again is followed again. */
  onAction(name, taken) {
    if (name === 'cancel' && !taken && this.kind.trains) this.latent.load();
    if (name === 'delete' && taken) location.hash = '#/';
    else if (name === 'retry' && taken && !this.stream) this.restart().catch(complain);
    else this.askJob();
  }

  async restart() {
    this.curves.clear();
    this.job = await get(this.path, this.signal);
    this.showJob();
    await this.start();
  }

  close() {
    this.stopFollowing();
    this.askJob.cancel();
    this.askCheckpoints.cancel();
    this.curves?.close();
    this.latent?.close();
  }
}

export function view(root, context) {
  root.replaceChildren(h('p', { class: 'quiet' }, 'Loading…'));
  return new RunView(root, context).open();
}

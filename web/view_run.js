// view_run.js: one run: how it does, its curves, previews and latent units, live while it trains.

import { curl, download, follow, get, hasToken, post, url } from './api.js';
import { addPoint, emptySeries, refreshed } from './curve.js';
import { commandBox, h, setText, show, throttled, toast } from './dom.js';
import { clock, count, duration, loss, param, percent, progressOf, terminal } from './format.js';
import { CurvePanel } from './panel_curve.js';
import { LatentPanel } from './panel_latent.js';
import { PreviewPanel } from './panel_preview.js';
import { progressBar, statusPill } from './status.js';

const DETAIL_MS = 2000; // between two readings of the whole curve while it grows

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
    this.series = {};
    this.askJob = throttled(() => this.readJob().catch(() => {}), 250);
    this.askCurve = throttled(() => this.readCurve().catch(() => {}), DETAIL_MS);
    signal.addEventListener('abort', () => this.close());
  }

  async open() {
    try {
      this.job = await get(`v1/jobs/${encodeURIComponent(this.ref)}`, this.signal);
      this.path = `v1/jobs/${this.job.id}`;
      this.kind = await get(`v1/kinds/${this.job.kind}`, this.signal);
    } catch (problem) {
      if (problem.name !== 'AbortError') this.fail(problem);
      return;
    }
    if (this.signal.aborted) return;
    this.build();
    this.showJob();
    await this.start();
  }

  fail(problem) {
    this.title('Run');
    this.root.replaceChildren(h('section', { class: 'card warn', role: 'alert' }, h('h1', {}, 'This run cannot be shown'),
      h('p', {}, problem.message), h('a', { class: 'button', href: '#/' }, 'All runs')));
  }

  // The event number comes first: whatever happens during the readings after it is told again by the stream.
  async start() {
    const after = terminal(this.job) ? null : await newestEvent(this.path, this.signal).catch(() => 0);
    await Promise.all([this.readJob(), this.readCurve(), this.previews.read()].map((p) => p.catch(() => {})));
    if (terminal(this.job)) this.loadKept();
    else if (this.previews.epochs.length) this.latent.load();
    if (after === null || this.signal.aborted) return;
    this.poll = setInterval(() => document.visibilityState === 'hidden' && this.askJob(), 5000);
    this.stream = new AbortController();
    follow(`${this.path}/events`, {
      after, signal: this.stream.signal, onEvent: (type, data) => this.onEvent(type, data), onState: (state) => this.onState(state),
    });
  }

  onState(state) {
    show(this.connection, state === 'waiting');
    this.askJob();
    if (state === 'live') this.askCurve();
  }

  onEvent(type, data) {
    if (type === 'metrics') this.onMetrics(data);
    else if (type === 'preview') this.previews.add(data);
    // Both are made of weights that have been published.
    if (type === 'metrics' || type === 'preview') this.latent.onProgress();
    this.askJob();
  }

  onMetrics({ points, epoch_end: epochEnd }) {
    for (const point of points ?? []) addPoint(this.series[point.name] ??= emptySeries(), point);
    this.curve.setPoints(this.series);
    if (epochEnd) {
      this.askCurve();
      this.latent.onEpoch();
    }
  }

  /** Nothing more will come: everything once more as it stays. */
  finish() {
    this.stopFollowing();
    this.latent.hold();
    show(this.connection, false);
    this.previews.read().catch(() => {});
    this.readCurve().catch(() => {});
    this.loadKept();
  }

  /** A run that has ended serves what it has saved, which may be nothing. */
  async loadKept() {
    const { data } = await get(`${this.path}/checkpoints`, this.signal).catch(() => ({ data: [] }));
    if (data.length) this.latent.load();
    else this.latent.sayNone();
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

  async readCurve() {
    const names = this.curve.names.join(',');
    const { series } = await get(`${this.path}/metrics?names=${names}&by=step&points=1500`, this.signal);
    for (const name of this.curve.names) this.series[name] = refreshed(series[name], this.series[name]);
    this.curve.setPoints(this.series);
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------

  build() {
    this.pill = statusPill();
    this.bar = progressBar('Progress of this run');
    this.connection = h('span', { class: 'pill', 'data-status': 'waiting', hidden: true }, 'reconnecting…');
    this.cancel = h('button', { type: 'button', class: 'danger', onclick: () => this.cancelJob() }, 'Cancel');
    this.error = h('section', { class: 'card warn', role: 'alert', hidden: true });
    this.warnings = h('ul', { class: 'card warn', hidden: true });
    this.facts = h('dl', { class: 'facts' });
    this.curve = new CurvePanel(this.kind, this.path);
    this.previews = new PreviewPanel(this.path, this.signal);
    this.latent = new LatentPanel(`v1/models/${this.job.id}`, this.signal);
    this.root.replaceChildren(this.header(), this.error, this.warnings, h('div', { class: 'run-grid' },
      h('div', { class: 'column' }, this.curve.node, this.previews.node), h('div', { class: 'column' }, this.latent.node, this.details())));
  }

  header() {
    this.announce = h('span', { class: 'offscreen', role: 'status' });
    return h('section', { class: 'run-head' },
      h('div', { class: 'head' }, h('h1', {}, this.job.name || this.job.id), this.pill.node, this.connection,
        h('span', { class: 'quiet' }, `${this.job.kind} · ${this.job.preset} · ${this.job.id}`), this.announce, this.cancel),
      h('div', { class: 'run-progress' }, this.bar.node), this.facts);
  }

  details() {
    const job = this.job;
    const body = { kind: job.kind, preset: job.preset, dataset: job.dataset, seed: job.seed, params: job.params };
    const schema = this.kind.params.properties;
    const preset = this.kind.presets.find((p) => p.name === job.preset)?.params ?? {};
    const rows = Object.entries(job.params ?? {})
      .sort(([a], [b]) => (schema[a]?.order ?? 0) - (schema[b]?.order ?? 0))
      .map(([name, value]) => h('div', { title: schema[name]?.description,
        class: param(value) === param(preset[name] ?? value) ? '' : 'changed' }, h('dt', {}, name), h('dd', {}, param(value))));
    return h('section', { class: 'card', 'aria-labelledby': 'details-title' }, h('h2', { id: 'details-title' }, 'Parameters and files'),
      this.links(), h('dl', { class: 'params' }, rows),
      h('h3', {}, 'The same run from a terminal'), commandBox(() => curl('v1/jobs', body), 'command that repeats this run').node,
      h('h3', {}, 'Watch it there'), commandBox(() => curl(`${this.path}/events.txt`).replace('curl', 'curl -N'), 'command that follows this run').node);
  }

  links() {
    const files = [
      ['weights', `v1/models/${this.job.id}/weights`, `${this.job.id}.safetensors`],
      ['pytorch.py', `v1/models/${this.job.id}/pytorch.py`, 'pytorch.py'],
      ['metrics.csv', `${this.path}/metrics.csv`, `${this.job.id}.csv`],
      ['curves.svg', `${this.path}/curves.svg`, `${this.job.id}.svg`],
      ['job.json', this.path, `${this.job.id}.json`],
    ];
    return h('p', { class: 'links' }, files.map(([text, path, filename]) => h('a', {
      href: url(path), download: filename, onclick: (event) => this.fetchLink(event, path, filename) }, text)));
  }

  // A plain link cannot bring the token along.
  async fetchLink(event, path, filename) {
    if (!hasToken()) return;
    event.preventDefault();
    await download(path, filename).catch((problem) => toast(problem.message, 'error'));
  }

  showJob() {
    const { job } = this;
    const share = progressOf(job);
    if (this.pill.node.dataset.status !== job.status) setText(this.announce, `Run is ${job.status}`);
    this.pill.set(job);
    this.bar.set(share);
    show(this.cancel, !terminal(job));
    this.cancel.disabled = job.status === 'cancelling';
    this.showFacts(job, share);
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
      ['speed', p.samples_per_s ? `${count(p.samples_per_s)} images/s` : '–'],
      terminal(job) ? ['trained for', duration(job.train_s * 1000)] : ['time left', duration(p.eta_ms)],
      [job.best?.metric ? `best ${job.best.metric}` : 'best', job.best ? `${loss(job.best.value)} (epoch ${job.best.epoch})` : '–'],
      job.test ? ['test loss', loss(job.test.loss)] : ['started', clock(job.started_at_ms)],
    ];
    if (job.queue_position) facts.push(['in the queue', `#${job.queue_position}`]);
    if (job.stop_reason && job.stop_reason !== 'completed') facts.push(['ended by', job.stop_reason]);
    while (this.facts.children.length < facts.length) this.facts.append(h('div', {}, h('dt'), h('dd')));
    while (this.facts.children.length > facts.length) this.facts.lastChild.remove();
    facts.forEach(([name, value], i) => {
      setText(this.facts.children[i].children[0], name);
      setText(this.facts.children[i].children[1], value);
    });
  }

  async cancelJob() {
    this.cancel.disabled = true;
    this.latent.hold();
    try {
      await post(`${this.path}/cancel`, undefined);
    } catch (problem) {
      toast(problem.message, 'error');
      this.latent.load();
    }
    this.askJob();
  }

  close() {
    this.stopFollowing();
    this.askJob.cancel();
    this.askCurve.cancel();
    this.curve?.close();
    this.latent?.close();
  }
}

export function runView(root, context) {
  root.append(h('p', { class: 'quiet' }, 'Loading…'));
  new RunView(root, context).open();
}

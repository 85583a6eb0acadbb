// views/map.js: a map of many points, as a projection has laid them out or is laying them out: to zoom, to ask, to take away.

import { curl, download, get, hasToken, url } from '../lib/api.js';
import { Chart } from '../lib/chart.js';
import { commandBox, complain, h, save, setText, show, throttled } from '../lib/dom.js';
import { count, duration, endedBy, loss, param, percent, progressOf, terminal, trained } from '../lib/format.js';
import { numbers } from '../lib/numbers.js';
import { request } from '../lib/request.js';
import { Scatter } from '../lib/scatter.js';
import { drawBitmap, Sprites } from '../lib/sprites.js';
import { progressBar, statusPill } from '../lib/status.js';
import { followJob } from '../lib/hub.js';
import { Actions } from '../panels/actions.js';
import { Legend } from '../panels/legend.js';
import { MapPin } from '../panels/map_pin.js';
import { QualityPanel } from '../panels/map_quality.js';

const RESULT = 'projection';
const CURVE_MS = 1000;
const JOB_MS = 500;
const SMALL = 150; // pixels high
const AXES = ['x', 'y', 'z'];
const HELP = 'Zoom with the wheel, two fingers, plus and minus; a drag or the arrow keys move the map; 0 shows all; '
  + 'Enter takes the point in the middle.';

class MapView {
  constructor(root, { id, query, signal, title }) {
    Object.assign(this, { root, ref: id, query, signal, title, pinned: -1 });
    this.askMap = throttled(() => this.readPlaces().catch(() => {}), 0);
    this.askCurve = throttled(() => this.readCurve().catch(() => {}), CURVE_MS);
    this.askJob = throttled(() => this.readJob().catch(() => {}), JOB_MS);
    signal.addEventListener('abort', () => this.close());
  }

  async open() {
    this.job = await get(`v1/jobs/${encodeURIComponent(this.ref)}`, this.signal);
    this.kind = await get(`v1/kinds/${this.job.kind}`, this.signal);
    if (!this.kind.results.includes(RESULT)) return location.replace(`#/runs/${this.job.id}`);
    this.path = `v1/jobs/${this.job.id}`;
    this.sprites = new Sprites(this.job.dataset, this.signal);
    await this.readSource();
    this.build();
    this.showJob();
    if (!terminal(this.job)) await this.followJob();
    await this.readMap();
    this.askCurve();
  }

  /** What can be explored from here: a model that is still there and can paint. */
  async readSource() {
    const { from } = this.job;
    if (!from) return;
    const ref = `${from.job}@${from.checkpoint}`;
    const model = await get(`v1/models/${ref}`, this.signal).catch(() => null);
    this.source = model?.abilities.includes('decode') ? ref : null;
  }

  // --- parts -------------------------------------------------------------------------------------------------------------

  build() {
    this.scatter = new Scatter('Map', { help: HELP, onPick: (i) => this.pin(i), onHover: (i, pixel) => this.hover(i, pixel),
      onEnter: () => this.takeMiddle() });
    this.tip = h('div', { class: 'scatter-tip', hidden: true, 'aria-hidden': 'true' });
    this.scatter.pad.append(this.tip);
    this.legend = new Legend((hidden) => this.scatter.setHidden(hidden));
    this.pinPanel = new MapPin({ onTake: (i) => this.pin(i, true), onLeave: () => this.pin(-1) });
    this.quality = new QualityPanel();
    this.chart = new Chart(this.kind.series.filter(({ headline }) => headline),
      { log: false, title: 'Map', name: this.job.name || this.job.id, height: SMALL });
    this.curve = h('section', { class: 'card', 'aria-label': 'Curve', hidden: true }, this.chart.node);
    this.waiting = h('p', { class: 'quiet map-waiting', role: 'status' }, 'Loading…');
    this.root.replaceChildren(this.header(), this.error, h('div', { class: 'map-grid' },
      h('section', { class: 'card', 'aria-label': 'Map' }, this.tools(), this.waiting, this.scatter.node, this.legend.node, this.files()),
      h('div', { class: 'column' }, this.pinPanel.node, this.quality.node, this.curve, this.details())));
  }

  header() {
    const { name, id, kind, preset, from } = this.job;
    Object.assign(this, { pill: statusPill(), bar: progressBar('Progress of this map'), facts: h('dl', { class: 'facts' }) });
    this.announce = h('span', { class: 'offscreen', role: 'status' });
    this.error = h('section', { class: 'card warn', role: 'alert', hidden: true });
    this.heading = h('h1', { tabindex: '-1', title: name || id }, name || id);
    this.actions = new Actions(this.job, this.signal, { before: () => {}, after: (what, taken) => this.onAction(what, taken),
      leave: () => this.heading.focus({ preventScroll: true }) });
    const origin = from ? [' · of ', h('a', { href: `#/runs/${from.job}` }, `${from.job}@${from.checkpoint}`)] : [];
    const words = h('span', { class: 'quiet' }, [kind, preset, name && id].filter(Boolean).join(' · '), origin);
    return h('section', { class: 'run-head' }, h('div', { class: 'head' }, this.heading, this.pill.node, words, this.announce,
      this.actions.node),
      h('div', { class: 'run-progress' }, this.bar.node), this.facts);
  }

  tools() {
    this.search = h('input', { type: 'text', inputmode: 'numeric', class: 'short', 'aria-label': 'Image to look for',
      onchange: () => this.find() });
    this.found = h('span', { class: 'quiet', role: 'status' });
    this.heat = h('input', { type: 'checkbox', onchange: () => this.dress() });
    const choice = (name) => h('select', { 'aria-label': name, onchange: () => this.layOut() });
    [this.right, this.up] = [choice('Component to the right'), choice('Component upwards')];
    this.pair = h('span', { class: 'controls', hidden: true }, 'right', this.right, 'up', this.up);
    return h('div', { class: 'controls' }, h('label', {}, 'image', this.search), this.found, h('label', {}, this.heat, 'density'),
      this.pair);
  }

  files() {
    const link = (form) => h('a', { href: url(`${this.path}/projection.${form}`), download: `${this.job.id}-projection.${form}`,
      onclick: (event) => this.fetch(event, form) }, `projection.${form}`);
    this.links = h('p', { class: 'links', hidden: true }, h('button', { type: 'button', class: 'small',
      onclick: () => this.savePicture().catch(complain) }, 'As seen (PNG)'),
      ['png', 'csv', 'npy', 'json'].map(link));
    return this.links;
  }

  details() {
    const { params } = this.job;
    return h('section', { class: 'card', 'aria-labelledby': 'asked-title' }, h('h2', { id: 'asked-title' }, 'How it was asked for'),
      h('dl', { class: 'params' }, Object.entries(params).map(([name, value]) => h('div',
        { title: this.kind.params.properties[name]?.description }, h('dt', {}, name), h('dd', {}, param(value))))),
      commandBox(() => curl('v1/jobs', request(this.kind, { ...this.job, name: '' })), 'command that makes this map').node,
      commandBox(() => curl(`${this.path}/projection.csv`), 'command that takes it away').node);
  }

  // A plain link cannot bring the token along.
  fetch(event, form) {
    if (!hasToken()) return;
    event.preventDefault();
    download(`${this.path}/projection.${form}`, `${this.job.id}-projection.${form}`).catch(complain);
  }

  async savePicture() {
    save(await this.scatter.png(), `${this.job.id}-map.png`);
  }

  // --- the job -----------------------------------------------------------------------------------------------------------

  showJob() {
    const { job } = this;
    const p = job.progress ?? {};
    if (this.pill.node.dataset.status !== job.status) setText(this.announce, `The map is ${job.status}`);
    this.pill.set(job);
    this.bar.set(progressOf(job));
    this.actions.update(job);
    show(this.error, Boolean(job.error));
    if (job.error) this.error.replaceChildren(h('h2', {}, `Failed: ${job.error.code}`), h('p', { class: 'detail' }, job.error.detail));
    const facts = [['points', count(this.map?.index.length)], ['step', `${count(p.step ?? 0)} / ${count(p.steps)}`],
      ['speed', p.samples_per_s ? `${count(p.samples_per_s)} points/s` : '–'],
      terminal(job) ? ['took', trained(job)] : ['time left', duration(p.eta_ms)],
        ...Object.entries(job.metrics ?? {}).filter(([name]) => this.kind.headlines.includes(name)).map(([name, value]) => [name,
        loss(value)]),
      endedBy(job) && ['ended by', endedBy(job)]].filter(Boolean);
    this.facts.replaceChildren(...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
    this.title(`${terminal(job) ? job.status : percent(progressOf(job)) || job.status} · ${job.name || job.id}`);
  }

  async readJob() {
    const before = terminal(this.job);
    this.job = await get(this.path, this.signal);
    this.showJob();
    if (!before && terminal(this.job)) await this.ended();
    else if (!this.map) await this.readMap();
  }

  async ended() {
    this.stream?.abort();
    this.stream = null;
    this.askCurve();
    await this.readMap();
  }

  async followJob() {
    const { data } = await get(`${this.path}/events?order=desc&limit=1`, this.signal);
    this.stream = new AbortController();
    followJob(this.job.id, { after: data[0]?.seq ?? 0, signal: AbortSignal.any([this.signal, this.stream.signal]),
      onEvent: (type, event) => this.onEvent(type, event), onOpen: () => this.askJob() });
  }

  /** The map is there before its picture. */
  onEvent(type, event) {
    if (type === 'preview' || (type === 'metrics' && event.epoch_end)) this.askMap();
    if (type === 'metrics') this.askCurve();
    this.askJob();
  }

  onAction(name, taken) {
    if (name === 'delete' && taken) location.hash = '#/';
    else if (name === 'retry' && taken && !this.stream) this.readJob().then(() => this.followJob()).catch(complain);
    else this.askJob();
  }

  async readCurve() {
    const { series } = await get(`${this.path}/metrics?points=500`, this.signal);
    show(this.curve, this.chart.meta.some(({ name }) => series[name]?.step.length > 1));
    this.chart.setPoints(series);
  }

  // --- the map -----------------------------------------------------------------------------------------------------------

  /** Whether there is a map: its first picture comes after it. */
  async begun() {
    return this.job.status === 'succeeded' || (await get(`${this.path}/previews?limit=1`, this.signal)).data.length > 0;
  }

  whyNone() {
    if (this.job.status === 'queued') return 'It waits for a free worker.';
    return terminal(this.job) ? `There is no map: it ${this.job.status} before it had one.` : 'It is being made.';
  }

  /** All there is to know of it. */
  async readMap() {
    if (!await this.begun()) return setText(this.waiting, this.whyNone());
    let facts;
    try {
      facts = await get(`${this.path}/projection`, this.signal);
    } catch (problem) {
      if (![404, 409].includes(problem.status)) throw problem;
      setText(this.waiting, problem.message);
      return;
    }
    const k = facts.components;
    const columns = Array.from({ length: k }, (_, c) => facts[AXES[c] ?? `c${c + 1}`]);
    const known = this.map?.index.length === facts.index.length;
    const { index, label: labels, classes, split } = facts;
    this.map = { index: known ? this.map.index : index, labels: known ? this.map.labels : labels, classes, split, columns,
      sprites: this.sprites,
      from: this.source };
    this.quality.set(facts);
    show(this.waiting, false);
    show(this.links, true);
    if (!known) this.offer(k);
    this.layOut(0, !known);
    this.showJob();
    if (!known) this.first();
  }

  /** Another frame of one that moves: places only. */
  async readPlaces() {
    if (this.signal.aborted || document.visibilityState === 'hidden') return;
    if (!this.map) return this.readMap();
    const { data, shape: [n, k] } = await numbers(`${this.path}/projection.npy`, { signal: this.signal });
    if (n !== this.map.index.length) return this.readMap();
    this.map.columns = Array.from({ length: k }, (_, c) => Float32Array.from({ length: n }, (_row, i) => data[i * k + c]));
    const now = performance.now();
    const between = now - (this.lastFrame ?? now); // it takes as long to move on as the next frame will be in coming
    this.lastFrame = now;
    this.layOut(Math.min(1500, between));
  }

  offer(k) {
    for (const [choice, value] of [[this.right, 0], [this.up, Math.min(1, k - 1)]]) {
      choice.replaceChildren(...Array.from({ length: k }, (_, c) => h('option', { value: c }, AXES[c] ?? `c${c + 1}`)));
      choice.value = String(value);
    }
    show(this.pair, k > 2);
    this.legend.setClasses(this.map.classes, this.map.labels);
  }

  layOut(ms = 0, first = false) {
    const { columns, index } = this.map;
    const [x, y] = [columns[Number(this.right.value)], columns[Number(this.up.value)]];
    const xy = new Float32Array(2 * index.length);
    for (let i = 0; i < index.length; i++) {
      xy[2 * i] = x[i];
      xy[2 * i + 1] = columns.length > 1 ? y[i] : 0;
    }
    this.map.xy = xy;
    this.scatter.setBackdrop({ heat: this.heat.checked, dots: true, tiles: null });
    if (first || this.scatter.labels !== this.map.labels) this.scatter.setPoints(xy, this.map.labels);
    else this.scatter.morph(xy, ms);
    this.scatter.pad.dataset.frames = String(Number(this.scatter.pad.dataset.frames ?? 0) + 1);
    this.mark();
  }

  dress() {
    this.scatter.setBackdrop({ heat: this.heat.checked, dots: true, tiles: null });
  }

  mark() {
    const at = (i) => [this.map.xy[2 * i], this.map.xy[2 * i + 1]];
    this.scatter.setMarks([this.hovered >= 0 && { at: at(this.hovered), kind: 'hover' }, this.pinned >= 0
      && { at: at(this.pinned), kind: 'here' }].filter(Boolean));
  }

  // --- one of its points -------------------------------------------------------------------------------------------------

  /** The address may name one. */
  first() {
    const wanted = this.query.get('image');
    if (wanted === null) return;
    this.search.value = wanted;
    this.find();
  }

  /** `bring` it into sight. */
  pin(i, bring = false) {
    this.pinned = i;
    this.mark();
    if (i >= 0 && bring) this.scatter.bring([this.map.xy[2 * i], this.map.xy[2 * i + 1]]);
    this.pinPanel.set(this.map, i).catch(complain);
    const query = i >= 0 ? `?image=${this.map.index[i]}` : '';
    history.replaceState(null, '', `${location.pathname}${location.search}#/map/${this.job.id}${query}`);
  }

  takeMiddle() {
    const { x, y } = this.scatter.view;
    const i = this.scatter.near([x, y]);
    if (i >= 0) this.pin(i);
  }

  find() {
    const text = this.search.value.trim();
    setText(this.found, '');
    if (!text || !this.map) return;
    const i = /^\d+$/.test(text) ? this.map.index.indexOf(Number(text)) : -1;
    if (i >= 0) return this.pin(i, true);
    const { index } = this.map;
    setText(this.found, `image ${text} is not on it: it has ${count(index.length)}, from ${index[0]} to ${index.at(-1)}`);
  }

  async hover(i, pixel) {
    if (i === this.hovered || !this.map) return;
    this.hovered = i;
    this.mark();
    show(this.tip, false);
    if (i < 0) return;
    const image = await this.sprites.image(this.map.split, this.map.index[i]).catch(() => null);
    if (!image || this.hovered !== i) return;
    const canvas = h('canvas', { class: 'picture' });
    drawBitmap(canvas, image);
    this.tip.replaceChildren(canvas, h('span', {}, `${this.map.index[i]} · ${this.map.classes[this.map.labels[i]]}`));
    const [width] = this.scatter.size;
    this.tip.style.setProperty('left', `${Math.min(pixel[0] + 16, width - 120)}px`);
    this.tip.style.setProperty('top', `${Math.max(0, pixel[1] - 100)}px`);
    show(this.tip, true);
  }

  close() {
    for (const ask of [this.askMap, this.askCurve, this.askJob]) ask.cancel();
    this.scatter?.close();
    this.chart?.close();
  }
}

export function view(root, context) {
  root.replaceChildren(h('p', { class: 'quiet' }, 'Loading…'));
  return new MapView(root, context).open();
}

// views/explore.js: the codes of a model: led about by hand, decoded as they go, also while it learns and back through its checkpoints.

import { get } from '../lib/api.js';
import { codeOf, normalSupport, supportOf, textOf } from '../lib/codes.js';
import { complain, h, setText, show, throttled } from '../lib/dom.js';
import { terminal } from '../lib/format.js';
import { numbers } from '../lib/numbers.js';
import { Sprites } from '../lib/sprites.js';
import { statusPill } from '../lib/status.js';
import { followJob } from '../lib/hub.js';
import { Decoder } from '../panels/explore_decoder.js';
import { FilesPanel } from '../panels/explore_files.js';
import { ExploreMap } from '../panels/explore_map.js';
import { MapsOffer } from '../panels/explore_maps.js';
import { ModelsPanel } from '../panels/explore_models.js';
import { NearPanel } from '../panels/explore_near.js';
import { Sliders } from '../panels/explore_sliders.js';
import { StartPanel } from '../panels/explore_start.js';
import { TimePanel } from '../panels/explore_time.js';
import { WalkSlots } from '../panels/explore_walk.js';

const NUMBERS = 2e6; // of codes that are laid out: 8 MB
const LIVE_MS = 1000; // a net that learns publishes its weights about once a second
const CODES_MS = 4000; // between two readings of all codes while it learns: each encodes a whole split
const REST_MS = 250; // after the last movement

/** "vae-2@12" → ["vae-2", "12"]. */
const refOf = (text) => /^(.*?)(?:@(best|last|\d+))?$/.exec(text).slice(1);

class ExploreView {
  constructor(root, { id, query, signal, title }) {
    Object.assign(this, { root, signal, title, query, z: null, anchor: null, wanted: query.get('axes') ?? undefined });
    [this.name, this.checkpoint] = refOf(id);
    this.askLive = throttled(() => this.redraw(), LIVE_MS);
    this.askCodes = throttled(() => this.readCodes().catch(() => {}), CODES_MS);
    this.askTime = throttled(() => this.time.read().catch(() => {}), LIVE_MS);
    this.askBegin = throttled(() => this.begun || this.begin().catch(complain), LIVE_MS);
    this.askJob = throttled(() => this.readJob().catch(() => {}), LIVE_MS);
    signal.addEventListener('abort', () => this.close());
  }

  async open() {
    this.job = await get(`v1/jobs/${encodeURIComponent(this.name)}`, this.signal);
    this.title(`Explore ${this.job.name || this.job.id}`);
    this.build();
    this.showJob();
    if (!terminal(this.job)) await this.followJob();
    await this.begin();
  }

  // --- parts -------------------------------------------------------------------------------------------------------------

  build() {
    const { signal } = this;
    const path = `v1/jobs/${this.job.id}`;
    this.pill = statusPill();
    this.decoder = new Decoder(signal, (weights) => this.onDrawn(weights));
    this.map = new ExploreMap(signal, { onMove: (z, more) => this.move(z, more), onPick: (i) => this.pick(i),
      onAxes: () => this.layOut().catch(complain) });
    this.map.preview = (i) => this.preview(i);
    this.sliders = new Sliders((unit, value) => this.move(this.z.map((x, i) => (i === unit ? value : x))));
    this.time = new TimePanel(path, signal, { onMoment: () => this.changeMoment(), drawn: () => this.drawn() });
    this.start = new StartPanel(signal, { modelPath: () => this.path, onStart: (z, anchor) => this.move(z, { anchor }),
      onScale: (scale) => this.move(this.drawnFrom.map((x) => scale * x), { scaled: true }) });
    this.near = new NearPanel(signal, ({ split, index }) => this.start.begin(() => this.start.codeOf(split, index)));
    this.walk = new WalkSlots(signal, { current: () => ({ z: this.z, words: this.words }),
      onWalk: (z, t) => this.move(z, { anchor: { words: `${Math.round(100 * t)} % from A to B` } }),
      onSlots: (slots) => { this.map.setSlots(slots); this.askRest(); } });
    this.files = new FilesPanel(signal, { current: () => this.model && { model: this.model, z: this.z }, map: () => this.map.scatter,
      walk: () => (this.walk.ready ? this.walk.request : null) });
    this.offer = new MapsOffer(signal, (maps, made) => this.offerMaps(maps, made));
    this.arrange();
  }

  arrange() {
    const name = this.job.name || this.job.id;
    this.facts = h('span', { class: 'quiet' });
    this.waiting = h('p', { class: 'card', role: 'status', hidden: true });
    this.stay = h('input', { type: 'checkbox' });
    this.stayRow = h('label', { class: 'explore-stay', hidden: true,
      title: 'Other weights give the image another code: that one, rather than the numbers as they are' }, this.stay,
      'stay with the image');
    const slidersCard = h('section', { class: 'card', 'aria-labelledby': 'units-title' }, h('h2', { id: 'units-title' }, 'Units'),
      this.sliders.node);
    this.map.node.append(this.offer.node);
    this.body = h('div', { class: 'explore-grid', hidden: true },
      h('section', { class: 'card explore-image', 'aria-label': 'Image' }, this.decoder.node),
      this.map.node, h('div', { class: 'explore-side' }, h('section', { class: 'card', 'aria-label': 'Where to begin' }, this.start.node,
        this.stayRow), slidersCard, this.files.node),
      this.walk.node, this.near.node);
    this.root.replaceChildren(h('section', { class: 'run-head' }, h('div', { class: 'head' },
      h('h1', { title: name }, 'Explore ', h('a', { href: `#/runs/${this.job.id}` }, name)), this.pill.node, this.facts),
      this.time.node), this.waiting, this.body);
    this.start.takeDrops(this.body);
    // What stays in sight beneath the page's bar needs to know how high that is.
    const bar = document.querySelector('.bar');
    const observer = new ResizeObserver(() => this.root.style.setProperty('--bar', `${bar.offsetHeight}px`));
    observer.observe(bar);
    this.signal.addEventListener('abort', () => observer.disconnect());
  }

  showJob() {
    const { job } = this;
    this.pill.set(job);
    this.live = !terminal(job);
    this.time.setNewest(this.live ? 'live' : job.best ? 'best weights' : 'last weights');
  }

  async readJob() {
    const live = this.live;
    this.job = await get(`v1/jobs/${this.job.id}`, this.signal);
    this.showJob();
    if (live && !this.live) await this.ended();
  }

  // --- which weights -----------------------------------------------------------------------------------------------------

  get ref() {
    const { moment } = this.time;
    return moment === null ? this.job.id : `${this.job.id}@${moment}`;
  }

  get path() {
    return `v1/models/${this.ref}`;
  }

  /** Everything there is to begin with; again once there are weights. */
  async begin() {
    try {
      await this.time.read();
      if (this.checkpoint) await this.chooseFirst();
      await this.readModel();
    } catch (problem) {
      if (![404, 409].includes(problem.status)) throw problem;
      setText(this.waiting, problem.message); // it waits, or has ended before it had any weights
      show(this.waiting, true);
      return;
    }
    if (this.begun) return;
    this.begun = true;
    show(this.waiting, false);
    show(this.body, true);
    await this.prepare();
  }

  async chooseFirst() {
    const { epoch } = await get(`v1/models/${this.job.id}@${this.checkpoint}`, this.signal);
    this.time.moment = epoch;
    this.checkpoint = null;
    this.time.place();
  }

  async readModel() {
    const ref = this.ref;
    const model = await get(`v1/models/${ref}`, this.signal);
    if (ref !== this.ref) return;
    if (!model.abilities.includes('decode')) {
      throw new Error(`A model of kind ${model.kind} has no decoder: there is nothing to explore. It can ${model.abilities.join(', ')}.`);
    }
    this.model = { ...model, path: `v1/models/${ref}`, dataset: this.job.dataset, encodes: model.abilities.includes('encode') };
    this.sliders.setModel(model.latent_dim, model.z);
    this.start.setModel(this.model, { classes: this.classes ?? [], dataset: this.job.dataset });
    this.walk.setModel(this.model);
    setText(this.facts, `${model.kind} · ${model.latent_dim} units · ${model.image.slice(1).join(' × ')} pixels`);
  }

  async prepare() {
    const { model, job } = this;
    this.sprites = new Sprites(job.dataset, this.signal);
    const path = `v1/datasets/${encodeURIComponent(job.dataset)}/labels?split=test`;
    const labels = await get(path, this.signal).catch(() => null); // it may be gone
    Object.assign(this, { classes: labels?.classes ?? [], labels: labels?.label ?? null });
    this.start.setModel(model, { classes: this.classes, dataset: job.dataset });
    this.map.offer(model.latent_dim, { encodes: model.encodes, maps: [], axes: this.wanted });
    this.decoder.node.classList.toggle('alone', !model.encodes); // no image is behind a code
    if (!model.encodes) this.map.backdrop.value = 'tiles';
    const given = codeOf(this.query.get('z'), model.latent_dim);
    const [, split, index] = /^(train|test):(\d+)$/.exec(this.query.get('image') ?? '') ?? [];
    if (given) this.move(given);
    else if (split && model.encodes) await this.start.begin(() => this.start.codeOf(split, Number(index)));
    else await (model.encodes && labels ? this.start.fromImage() : this.start.fromSeed());
    this.z ??= new Array(model.latent_dim).fill(0); // what went wrong has been said
    await this.readCodes();
    if (model.encodes) await this.offer.load(job).catch(() => {});
  }

  offerMaps(maps, made) {
    const before = this.map.name;
    this.map.offer(this.model.latent_dim, { encodes: true, maps, axes: made ?? this.wanted ?? before });
    this.wanted = undefined;
    if (this.map.name !== before) this.map.chosen();
  }

  /** The codes of the images, by the weights that are shown, and what follows from where they lie. */
  async readCodes() {
    if (!this.begun || this.signal.aborted) return;
    if (!this.model.encodes) {
      this.support = normalSupport(this.model.latent_dim);
      return this.layOut();
    }
    const ref = this.ref;
    const d = this.model.latent_dim;
    const n = Math.min(Math.floor(NUMBERS / d), this.labels?.length ?? 0);
    if (!n) return;
    const { data, shape } = await numbers(`v1/models/${ref}/latents.npy?split=test&n=${n}`, { signal: this.signal });
    if (ref !== this.ref) return this.readCodes();
    this.all = { data, n: shape[0], d };
    this.support = supportOf(data, shape[0], d, { all: this.model.auto_distribution !== 'normal',
      variance: (this.model.z?.std ?? []).map((std) => std * std) });
    await this.layOut();
    await this.stayWithImage();
  }

  /** The codes on the plane that is chosen. */
  async layOut() {
    const { map } = this;
    const made = this.offer.maps.find(({ id }) => id === map.axes.value);
    const d = this.model.latent_dim;
    map.model = this.model;
    if (!this.model.encodes) map.setCodes({ data: null, n: 0, d, classes: [] }, this.z);
    else if (made) await this.layOutMade(made);
    else if (this.all) {
      this.split = { name: 'test', index: null };
      map.setCodes({ ...this.all, labels: this.labels.slice(0, this.all.n), classes: this.classes }, this.z);
    }
    this.sayOutside();
    this.askRest();
  }

  async layOutMade({ id }) {
    if (this.made?.id !== id) this.made = { id, ...(await this.offer.places(id)) };
    const { index, labels, places, split } = this.made;
    const d = this.model.latent_dim;
    const all = split === 'test' && this.all.n > index.at(-1) ? this.all.data
      : (await numbers(`${this.path}/latents.npy?split=${split}`, { signal: this.signal })).data;
    const data = new Float32Array(index.length * d);
    index.forEach((i, row) => data.set(all.subarray(i * d, i * d + d), row * d));
    this.split = { name: split, index };
    this.map.setCodes({ data, n: index.length, d, labels, classes: this.classes, places }, this.z);
  }

  changeMoment() {
    this.askAddress();
    if (!this.begun) return;
    this.decoder.decode({ path: this.path, image: this.model.image }, this.z);
    clearTimeout(this.momentTimer);
    this.momentTimer = setTimeout(() => this.readModel().then(() => this.readCodes()).catch(() => {}), REST_MS);
  }

  /** Once the image of now has been drawn. */
  drawn() {
    return new Promise((resolve) => {
      const look = () => (this.decoder.busy && !this.signal.aborted ? requestAnimationFrame(look) : resolve());
      requestAnimationFrame(look);
    });
  }

  // --- the code ----------------------------------------------------------------------------------------------------------

  /** Another code. `anchor`: what it is the code of; `place`: where the hand is on the map. */
  move(z, { anchor = null, place = null, scaled = false } = {}) {
    if (!this.model) return;
    this.z = z;
    this.anchor = anchor;
    if (!scaled) this.drawnFrom = z;
    this.decoder.decode(this.model, z);
    this.sliders.set(z);
    this.map.here(z, place);
    this.sayOutside();
    this.askRest();
  }

  sayOutside() {
    if (!this.support || !this.z) return;
    const outside = this.support.outside(this.z);
    if (outside === this.isOutside) return;
    this.isOutside = outside;
    this.map.setOutside(outside);
    this.decoder.setOutside(outside, 'outside the data', this.model.encodes
      ? 'It is further from the nearest code of an image than 99 % of these are from each other: nothing like it has been learnt.'
      : 'It is longer than 99 % of the codes that are drawn.');
  }

  pick(i) {
    const { name, index } = this.split;
    const { data, d } = this.map.codes;
    this.start.turn = (this.start.turn ?? 0) + 1; // what was asked for before is not wanted any more
    const at = index ? index[i] : i;
    if (name === 'test') this.start.index.value = String(at);
    this.move(Array.from(data.subarray(i * d, i * d + d)), { anchor: { split: name, index: at } });
  }

  preview(i) {
    const { name, index } = this.split;
    const at = index ? index[i] : i;
    return { bitmap: this.sprites.image(name, at), words: `${at} · ${this.classes[this.map.codes.labels[i]] ?? ''}` };
  }

  get words() {
    const { anchor } = this;
    if (!anchor) return this.z.length > 3 ? 'a code of your own' : this.z.map((x) => x.toFixed(2)).join(', ');
    const label = anchor.split === 'test' && this.labels ? `, ${this.classes[this.labels[anchor.index]]}` : '';
    if (anchor.split) return `${anchor.split} image ${anchor.index}${label}`;
    return anchor.file ?? anchor.words;
  }

  onDrawn({ epoch, step }) {
    const now = this.time.moment === null ? (this.live ? 'live, ' : this.job.best ? 'best, ' : '') : '';
    this.decoder.describe(`${now}epoch ${epoch}, step ${step}`, `Decoded image: ${this.words}`);
    if (this.live && this.time.moment === null && this.step !== undefined && step !== this.step) this.map.askTiles();
    this.step = step;
  }

  /** After the last movement: what takes longer, and the address. */
  askRest() {
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => this.rest(), REST_MS);
  }

  rest() {
    if (this.signal.aborted || !this.z) return;
    const { anchor } = this;
    const picture = anchor?.split ? this.sprites.image(anchor.split, anchor.index) : anchor?.bitmap;
    this.decoder.setOriginal(picture ?? null, this.words).catch(() => {});
    show(this.stayRow, Boolean(anchor?.split || anchor?.blob));
    this.near.rest(this.model, this.z);
    this.files.update();
    this.map.askTiles();
    this.askAddress();
  }

  /** The address says what is seen, so that it can be shared. */
  askAddress() {
    if (!this.z || this.signal.aborted) return;
    const query = `z=${textOf(this.z)}&axes=${encodeURIComponent(this.map.name)}`;
    history.replaceState(null, '', `${location.pathname}${location.search}#/explore/${this.ref}?${query}`);
  }

  async stayWithImage() {
    const { anchor } = this;
    if (!this.stay.checked || !anchor) return;
    const z = await this.start.again(anchor);
    if (z && anchor === this.anchor) this.move(z, { anchor });
  }

  // --- a run that goes on ------------------------------------------------------------------------------------------------

  async followJob() {
    const { data } = await get(`v1/jobs/${this.job.id}/events?order=desc&limit=1`, this.signal);
    followJob(this.job.id, { after: data[0]?.seq ?? 0, signal: this.signal, onEvent: (type, event) => this.onEvent(type, event),
      onOpen: () => this.askJob() });
  }

  onEvent(type, event) {
    if (!this.begun && (type === 'metrics' || type === 'status')) return this.askBegin();
    if (type === 'metrics') this.askLive();
    if (type === 'metrics' && event.epoch_end && this.time.moment === null) this.askCodes();
    if (type === 'checkpoint') this.askTime();
    if (type === 'status' || type === 'end') this.askJob();
  }

  /** Other weights have been published: the same code again. */
  redraw() {
    if (this.begun && this.time.moment === null && this.z && document.visibilityState === 'visible') this.decoder.decode(this.model,
      this.z);
  }

  async ended() {
    if (!this.begun) return this.begin();
    this.askTime();
    await this.readModel();
    this.decoder.decode(this.model, this.z);
    await this.readCodes();
    if (this.model.encodes) await this.offer.load(this.job);
  }

  close() {
    for (const ask of [this.askBegin, this.askLive, this.askCodes, this.askTime, this.askJob]) ask.cancel();
    clearTimeout(this.restTimer);
    clearTimeout(this.momentTimer);
    this.walk?.stop();
    this.time?.stop();
  }
}

export function view(root, context) {
  root.replaceChildren(h('p', { class: 'quiet' }, 'Loading…'));
  return context.id ? new ExploreView(root, context).open() : new ModelsPanel(root, context).read();
}

// panels/explore_maps.js: maps of a model's codes that other jobs have made (t-SNE and the like), and one press to make another.

import { action } from '../lib/action.js';
import { get, post } from '../lib/api.js';
import { complain, h, show } from '../lib/dom.js';
import { percent, progressOf, terminal } from '../lib/format.js';
import { numbers } from '../lib/numbers.js';

const RESULT = 'projection';
const MOST = 100; // newest jobs of such kinds that are looked through
const WAIT_S = 5;
const INPUT = 'codes';

export class MapsOffer {
  /** onMaps(list, made): there are others; `made`: one was waited for. */
  constructor(signal, onMaps) {
    Object.assign(this, { signal, onMaps, maps: [] });
    this.state = h('span', { class: 'quiet', role: 'status' });
    this.buttons = h('span', { class: 'controls' });
    this.node = h('div', { class: 'explore-offer', hidden: true }, this.buttons, this.state);
  }

  async load(job) {
    const { data } = await get('v1/kinds', this.signal);
    const makers = data.filter(({ results, from }) => results.includes(RESULT) && from?.includes(job.kind));
    const kinds = await Promise.all(makers.map(({ kind }) => get(`v1/kinds/${kind}`, this.signal)));
    // What their default does this page does by itself.
    const rows = kinds.flatMap((kind) => kind.presets.filter(({ name }) => name !== kind.default_preset)
      .map((preset) => this.button({ kind: kind.kind, preset: preset.name, from: job.id }, preset)));
    this.buttons.replaceChildren(...rows);
    this.kinds = makers.map(({ kind }) => kind);
    this.job = job;
    await this.read();
    show(this.node, rows.length > 0 && terminal(job));
  }

  async read() {
    const lists = await Promise.all(this.kinds.map((kind) => get(`v1/jobs?kind=${kind}&status=succeeded&limit=${MOST}`, this.signal)));
    this.maps = lists.flatMap(({ data }) => data).filter(({ from, params }) => from?.job === this.job.id && params.space === INPUT)
      .map(({ id, name, preset, params }) => ({ id, label: `Map: ${name || preset} of ${params.n || 'all'} ${params.split} images`,
        split: params.split }));
    this.onMaps(this.maps);
  }

  button(body, preset) {
    const { node, button } = action({ text: `Make a ${preset.name} map`, cls: 'small', request: () => ({ path: 'v1/jobs', body }),
      onclick: () => this.make(body, button) });
    button.title = preset.description;
    return node;
  }

  async make(body, button) {
    button.disabled = true;
    try {
      let job = await post('v1/jobs', body, this.signal);
      while (!terminal(job)) {
        this.state.replaceChildren(h('a', { href: `#/map/${job.id}` }, 'watch it'), ` ${job.status} ${percent(progressOf(job))}`);
        job = await get(`v1/jobs/${job.id}?wait_s=${WAIT_S}`, this.signal);
      }
      this.state.replaceChildren(job.status === 'succeeded' ? '' : `It ${job.status}. ${job.error?.detail ?? ''}`);
      await this.read();
      if (job.status === 'succeeded') this.onMaps(this.maps, job.id);
    } catch (problem) {
      complain(problem);
    } finally {
      button.disabled = false;
    }
  }

  /** The places of a map's points: {index, labels, places, split}. */
  async places(id) {
    const [facts, map] = await Promise.all([get(`v1/jobs/${id}/projection`, this.signal),
      numbers(`v1/jobs/${id}/projection.npy`, { signal: this.signal })]);
    const [n, k] = map.shape;
    const places = new Float32Array(2 * n);
    for (let i = 0; i < n; i++) places.set([map.data[i * k], k > 1 ? map.data[i * k + 1] : 0], 2 * i);
    return { index: facts.index, labels: facts.label, places, split: facts.split };
  }
}

// panels/map.js: maps of the codes of a finished run: those there are, and one press, or one command, for another by each preset of the
// kind that makes them.

import { action } from '../lib/action.js';
import { get, post } from '../lib/api.js';
import { complain, h, show } from '../lib/dom.js';

const RESULT = 'projection';
const MOST = 100; // newest jobs of the kind that are looked through

export class MapPanel {
  constructor(job, signal) {
    this.job = job;
    this.signal = signal;
    this.made = h('ul', { class: 'maps', hidden: true });
    this.list = h('div', { class: 'maps' });
    this.node = h('section', { class: 'card map-panel', 'aria-labelledby': 'map-title', hidden: true },
      h('h2', { id: 'map-title' }, 'Map of its codes'),
      h('p', { class: 'hint' }, 'Where the test images lie among each other, as a run of its own.'), this.made, this.list);
  }

  /** Once the run has ended and there is something to lay out. */
  async load() {
    if (this.list.children.length) return;
    const { data } = await get('v1/kinds', this.signal);
    const maker = data.find(({ results, from }) => results.includes(RESULT) && from?.includes(this.job.kind));
    if (!maker) return;
    const kind = await get(`v1/kinds/${maker.kind}`, this.signal);
    this.list.replaceChildren(...kind.presets.map((preset) => this.offer(kind, preset)));
    show(this.node, true);
    await this.readMade(maker.kind);
  }

  async readMade(kind) {
    const { data } = await get(`v1/jobs?kind=${kind}&limit=${MOST}`, this.signal);
    const own = data.filter(({ from }) => from?.job === this.job.id);
    this.made.replaceChildren(...own.map(({ id, name, preset, status }) => h('li', {}, h('a', { href: `#/map/${id}` }, name || id),
      h('span', { class: 'quiet' }, ` ${preset}, ${status}`))));
    show(this.made, own.length > 0);
  }

  offer(kind, preset) {
    const body = { kind: kind.kind, ...(preset.name === kind.default_preset ? {} : { preset: preset.name }), from: this.job.id };
    const { node, button } = action({ text: preset.name, request: () => ({ path: 'v1/jobs', body }),
      onclick: () => this.start(body, button) });
    return h('p', {}, node, h('span', { class: 'hint' }, ` ${preset.description}`));
  }

  async start(body, button) {
    button.disabled = true;
    try {
      const job = await post('v1/jobs', body, this.signal);
      location.hash = `#/map/${job.id}`;
    } catch (problem) {
      button.disabled = false;
      complain(problem);
    }
  }
}

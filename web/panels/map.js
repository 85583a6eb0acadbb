// panels/map.js: maps of the codes of a finished run: one press, or one command, for each preset of the kind that makes them.

import { curl, get, post } from '../lib/api.js';
import { commandBox, complain, h, show } from '../lib/dom.js';

const RESULT = 'projection';

export class MapPanel {
  constructor(job, signal) {
    this.job = job;
    this.signal = signal;
    this.list = h('div', { class: 'maps' });
    this.node = h('section', { class: 'card map-panel', 'aria-labelledby': 'map-title', hidden: true }, h('h2', { id: 'map-title' }, 'Map of its codes'),
      h('p', { class: 'hint' }, 'Where the test images lie among each other, as a run of its own.'), this.list);
  }

  /** Once the run has ended and there is something to lay out. */
  async load() {
    if (this.list.children.length) return;
    const { data } = await get('v1/kinds', this.signal);
    const maker = data.find(({ results, from }) => results.includes(RESULT) && from?.includes(this.job.kind));
    if (!maker) return;
    const kind = await get(`v1/kinds/${maker.kind}`, this.signal);
    this.list.replaceChildren(...kind.presets.flatMap((preset) => this.offer(kind, preset)));
    show(this.node, true);
  }

  offer(kind, preset) {
    const body = { kind: kind.kind, ...(preset.name === kind.default_preset ? {} : { preset: preset.name }), from: this.job.id };
    const go = h('button', { type: 'button', onclick: () => this.start(body, go) }, preset.name);
    return [h('p', {}, go, h('span', { class: 'hint' }, ` ${preset.description}`)),
      commandBox(() => curl('v1/jobs', body), `command that makes a map by ${preset.name}`).node];
  }

  async start(body, button) {
    button.disabled = true;
    try {
      const job = await post('v1/jobs', body, this.signal);
      location.hash = `#/runs/${job.id}`;
    } catch (problem) {
      button.disabled = false;
      complain(problem);
    }
  }
}

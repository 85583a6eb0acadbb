// panels/starters.js: what is there when nothing has been trained yet: a few runs to begin with, each in a click.

import { action } from '../lib/action.js';
import { curl, post, query } from '../lib/api.js';
import { commandBox, complain, h, setText } from '../lib/dom.js';
import { count, duration } from '../lib/format.js';

/** The request that a kind's row offers to begin with. */
const starterOf = ({ kind, starter }) => ({ kind, ...(starter.preset && { preset: starter.preset }), params: starter.params });

function timeText({ seconds, epochs, parameters }) {
  const size = `${count(epochs)} epochs, ${count(parameters)} weights`;
  return typeof seconds === 'number' ? `About ${duration(Math.max(1000, seconds * 1000))} on this machine · ${size}`
    : `How long it takes here shows a few steps after its start · ${size}`;
}

class Starter {
  constructor(row, signal) {
    this.body = starterOf(row);
    this.signal = signal;
    this.time = h('p', { class: 'quiet starter-time' }, ' ');
    const { node, button } = action({ text: 'Start', cls: 'primary', request: () => ({ path: 'v1/jobs', body: this.body }),
      onclick: () => this.start() });
    this.button = button;
    button.setAttribute('aria-label', `Start: ${row.starter.title}`);
    this.node = h('li', { class: 'card starter' }, h('h3', {}, row.starter.title), h('p', {}, row.starter.description), this.time,
      h('p', { class: 'actions' }, node, h('a', { class: 'control', href: `#/new/${encodeURIComponent(row.kind)}` }, 'Choose parameters')),
      commandBox(() => curl('v1/jobs', this.body), `${row.starter.title} from a terminal`).node);
  }

  async estimate() {
    const { estimate } = await query('v1/jobs?validate_only=true', this.body, this.signal);
    setText(this.time, timeText(estimate));
  }

  async start() {
    this.button.disabled = true;
    try {
      const job = await post('v1/jobs', this.body);
      location.hash = `#/runs/${job.id}`;
    } catch (problem) {
      this.button.disabled = false;
      complain(problem);
    }
  }
}

export class StartersPanel {
  constructor(kinds, signal) {
    this.starters = kinds.filter((row) => row.starter).map((row) => new Starter(row, signal));
    this.node = h('section', { class: 'starters', 'aria-labelledby': 'starters-title' },
      h('h2', { id: 'starters-title' }, 'Nothing has been trained here yet'),
      h('p', {}, 'Each of these is one click. You watch it learn, see what it makes of images, and walk through what it has learned ' +
        'while it trains.'),
      h('ul', { class: 'starter-list' }, this.starters.map(({ node }) => node)),
      h('h3', {}, 'Whatever can be trained here, each with parameters of your choice'),
      h('ul', { class: 'kinds' }, kinds.map(({ kind, description, from }) => h('li', {},
        h('a', { class: 'button control', href: `#/new/${encodeURIComponent(kind)}` }, kind), h('span', {}, description,
          from && h('span', { class: 'quiet' }, ` Goes on from a finished run: ${from.join(' or ')}.`))))));
  }

  /** `able`: there is something to train on. */
  set(able) {
    for (const starter of this.starters) {
      starter.button.disabled = !able;
      if (able) starter.estimate().catch(() => {});
    }
  }
}

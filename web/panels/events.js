// panels/events.js: what happened to a run, newest first or followed; alerts stand out.

import { get } from '../lib/api.js';
import { complain, h, newId, setText, show } from '../lib/dom.js';
import { placeText } from '../lib/scale.js';
import { merged, TOLD, words } from '../lib/history.js';

const FIRST = 'status,alert,log'; // read at once: what the curves bear marks of
const LIMIT = 1000;
const SHOWN = 300;
const NEAR_PX = 30; // of the end: whoever reads there follows

export class EventsPanel {
  /** onEvents(events): oldest first, whenever there are more. */
  constructor(path, signal, onEvents) {
    Object.assign(this, { path, signal, onEvents, events: [], start: null, order: 'newest' });
    this.kinds = new Map(TOLD.map((type) => [type, this.filter(type)]));
    this.choice = h('select', { 'aria-label': 'Order of the events', onchange: () => this.reorder() },
      h('option', { value: 'newest' }, 'newest first'), h('option', { value: 'follow' }, 'oldest first, following'));
    this.list = h('ol', { class: 'events' });
    this.box = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Events' }, this.list);
    this.none = h('p', { class: 'quiet' }, 'Nothing of this kind has happened.');
    this.more = h('p', { class: 'quiet', hidden: true });
    const id = newId('events');
    this.node = h('section', { class: 'card events-panel', 'aria-labelledby': id },
      h('div', { class: 'head' }, h('h2', { id }, 'Events and log'), h('div', { class: 'controls' }, [...this.kinds.values()].map(({ node }) => node), this.choice)),
      this.none, this.box, this.more);
  }

  filter(type) {
    const box = h('input', { type: 'checkbox', checked: type !== 'checkpoint', onchange: () => this.onFilter(type) });
    return { box, node: h('label', {}, box, type === 'log' ? 'log' : `${type}s`.replace('statuss', 'states')) };
  }

  async read(types = FIRST) {
    const { data } = await get(`${this.path}/events?types=${types}&order=desc&limit=${LIMIT}`, this.signal);
    this.addAll(data);
  }

  /** Of a long run there are many checkpoints: they are read when one asks for them. */
  onFilter(type) {
    if (type === 'checkpoint' && !this.asked) {
      this.asked = true;
      this.read('checkpoint').catch(complain);
    }
    this.draw();
  }

  reorder() {
    this.order = this.choice.value;
    this.draw();
    if (this.order === 'follow') this.box.scrollTop = this.box.scrollHeight;
  }

  /** An event of the stream. */
  add(type, data) {
    if (TOLD.includes(type)) this.addAll([{ ...data, event: type }]);
  }

  addAll(events) {
    const before = this.events.length;
    this.events = merged(this.events, events);
    this.start ??= this.events.find(({ status }) => status === 'running')?.at_ms;
    if (this.events.length !== before) this.onEvents(this.events);
    this.draw();
  }

  draw() {
    const wanted = this.events.filter(({ event }) => this.kinds.get(event).box.checked);
    const seen = wanted.slice(-SHOWN);
    if (this.order === 'newest') seen.reverse();
    const following = this.order === 'follow' && this.box.scrollTop + this.box.clientHeight > this.box.scrollHeight - NEAR_PX;
    this.list.replaceChildren(...seen.map((event) => this.row(event)));
    if (following) this.box.scrollTop = this.box.scrollHeight;
    show(this.none, !seen.length);
    show(this.box, seen.length > 0);
    show(this.more, wanted.length > SHOWN);
    setText(this.more, `The newest ${SHOWN} of ${wanted.length}; all of them: ${this.path}/events`);
  }

  row(event) {
    const at = new Date(event.at_ms);
    const since = this.start && event.at_ms >= this.start ? `+${placeText('time', Math.round((event.at_ms - this.start) / 1000))}` : '';
    return h('li', { class: event.event }, h('time', { datetime: at.toISOString(), title: at.toLocaleString(), class: 'num' }, at.toLocaleTimeString()),
      h('span', { class: 'num quiet', title: 'since its start' }, since), h('span', { class: 'type' }, event.event), h('span', { class: 'detail' }, words(event)));
  }
}

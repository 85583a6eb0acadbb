// lib/connection.js: says, whatever view is open, that the daemon does not answer, since when, and that it does again. Asks until it does.

import { get, onConnection, pause } from './api.js';
import { h, setText, show } from './dom.js';
import { duration } from './format.js';

const RETRY_MS = 1000;
const BACK_MS = 6000; // so long one can read that it is back

const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const answers = () => get('v1/info').then(() => true, (problem) => !problem.away);

/** A band below the header: over the view, which stays where it is. */
class Band {
  constructor() {
    this.words = h('span', { role: 'status' });
    this.time = h('span', { class: 'num', 'aria-hidden': 'true' });
    this.now = h('button', { type: 'button', class: 'small', onclick: () => this.hurry?.abort() }, 'Try now');
    this.node = h('div', { class: 'connection', hidden: true }, this.words, this.time, this.now);
    this.since = 0;
  }

  away() {
    clearTimeout(this.going);
    this.since = Date.now();
    show(this.node, true);
    this.node.dataset.state = 'away';
    show(this.now, true);
    setText(this.words, `The daemon has not answered since ${clock(this.since)}. Trying again…`);
    this.asking ??= this.ask().finally(() => { this.asking = null; });
  }

  /** Each second, until somebody answers. */
  async ask() {
    do {
      const gone = Date.now() - this.since;
      setText(this.time, gone < 900 ? '' : duration(gone));
      this.hurry = new AbortController();
      await pause(RETRY_MS, this.hurry.signal);
    } while (!(await answers()));
  }

  back() {
    this.node.dataset.state = 'back';
    if (this.node.contains(document.activeElement)) document.getElementById('main').focus({ preventScroll: true });
    show(this.now, false);
    setText(this.time, '');
    setText(this.words, `Connected again after ${duration(Date.now() - this.since)}. What was missed has been caught up on.`);
    this.going = setTimeout(() => show(this.node, false), BACK_MS);
  }
}

/** header: where the band hangs; changed(connected) for who says more. */
export function tellConnection(header, changed) {
  const band = new Band();
  header.append(band.node);
  onConnection((connected) => {
    changed(connected);
    if (connected) band.back();
    else band.away();
  });
}

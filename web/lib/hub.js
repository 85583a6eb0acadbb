// lib/hub.js: what happens to jobs, as it happens, over one stream for all tabs of a browser.
//
// A browser opens six connections to a server, and a tab is not the only one that watches. So tabs elect one that streams
// (lib/feed.js) for all and tells the others: whoever holds a Web Lock leads, what is said goes over a BroadcastChannel. Only tabs
// that are seen take part; when none is, nothing streams. Names are made of the token, so tabs with another one hear nothing.
// Where there are no locks (plain http from another host), each tab leads itself.
//
// No event is lost or told twice, whoever leads: a job's events are counted without gaps, and each follower knows the last it had.
// What comes twice it drops; what it missed it reads from the job's list first.

import { backAgain, get, onTokenChange, scope, setConnected } from './api.js';
import { Feed } from './feed.js';

const ANNOUNCE_MS = 10; // wishes of one moment are one message
const AGAIN_MS = 60000; // a leader hears from each tab so often, or thinks that it has crashed
const PAGE = 1000; // events of a list

/** One who follows a job. */
class Follower {
  constructor(id, { after, signal, onEvent, onOpen }) {
    Object.assign(this, { id, signal, onEvent, onOpen, last: after, goal: after, opened: false, reading: null });
  }

  /** The stream is there: for the first time, or after it was lost; or others have joined it. */
  open(again) {
    if (this.opened && !again) return;
    this.opened = true;
    this.onOpen?.();
  }

  /** The stream was there already, and has told everything up to `seq`. */
  join(seq) {
    this.open(false);
    this.reach(seq);
  }

  /** An event of the stream. */
  hear(event) {
    if (event.seq === this.last + 1 && !this.reading) this.deliver(event);
    else this.reach(event.seq);
  }

  deliver({ event, ...data }) {
    this.last = data.seq;
    try {
      this.onEvent(event, data);
    } catch (problem) {
      reportError(problem); // the others hear of it all the same
    }
  }

  /** There are events up to `seq`: those that are missing here are in the list. */
  reach(seq) {
    this.goal = Math.max(this.goal, seq);
    if (this.goal > this.last && !this.reading) this.reading = this.catchUp().finally(() => { this.reading = null; });
  }

  async catchUp() {
    while (this.last < this.goal && !this.signal.aborted) {
      try {
        const { data } = await get(`v1/jobs/${this.id}/events?after=${this.last}&limit=${PAGE}`, this.signal);
        for (const event of data) if (!this.signal.aborted && event.seq === this.last + 1) this.deliver(event);
        if (!data.length) this.goal = this.last;
      } catch (problem) {
        if (!problem.away) return;
        await backAgain(1000, this.signal);
      }
    }
  }
}

class Hub {
  constructor(name) {
    this.name = name;
    this.tab = `${Date.now()}-${Math.random()}`;
    this.followers = new Set();
    this.feed = null; // while this tab leads
    this.joined = null; // ends when this tab leaves
    this.soon = null;
    this.life = new AbortController();
    const { signal } = this.life;
    const look = () => (document.visibilityState === 'hidden' ? this.leave() : this.join());
    document.addEventListener('visibilitychange', look, { signal });
    addEventListener('pagehide', () => this.leave(), { signal });
    addEventListener('pageshow', (event) => event.persisted && look(), { signal }); // out of the browser's cache
    this.clock = setInterval(() => this.announce(), AGAIN_MS);
    look();
  }

  /** What another token may see is none of its business. */
  end() {
    this.leave();
    this.life.abort();
    clearInterval(this.clock);
  }

  add(follower) {
    this.followers.add(follower);
    follower.signal.addEventListener('abort', () => this.remove(follower), { once: true });
    this.announceSoon();
  }

  remove(follower) {
    if (this.followers.delete(follower)) this.announceSoon();
  }

  // --- who leads ---

  join() {
    if (this.joined) return;
    this.joined = new AbortController();
    const locks = globalThis.navigator?.locks;
    if (locks) {
      this.channel = new BroadcastChannel(this.name);
      this.channel.onmessage = ({ data }) => this.receive(data);
      const { signal } = this.joined;
      locks.request(this.name, { signal }, () => this.lead(signal)).catch(() => this.lead(signal)); // where they are forbidden
    } else this.lead(this.joined.signal);
    this.announce();
  }

  leave() {
    if (!this.joined) return;
    this.say({ type: 'want', tab: this.tab, jobs: {} });
    this.joined.abort();
    this.joined = null;
    this.channel?.close();
    this.channel = null;
    for (const follower of this.followers) follower.opened = false;
  }

  /** Until this tab leaves; the lock is held as long as the promise is open. */
  lead(signal) {
    if (signal.aborted) return undefined;
    this.feed = new Feed((message) => this.say(message));
    this.say({ type: 'hello' });
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.feed.close();
        this.feed = null;
        resolve();
      }, { once: true });
    });
  }

  // --- what is said ---

  announceSoon() {
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.announce();
    }, ANNOUNCE_MS);
  }

  announce() {
    if (!this.joined) return;
    const jobs = {};
    for (const { id, last } of this.followers) jobs[id] = Math.min(last, jobs[id] ?? Infinity);
    this.say({ type: 'want', tab: this.tab, jobs });
  }

  /** To all tabs, of which this is one. */
  say(message) {
    this.channel?.postMessage(message);
    this.receive(message);
  }

  receive(message) {
    const of = (id) => [...this.followers].filter((follower) => follower.id === id);
    switch (message.type) {
      case 'want': return this.feed?.want(message.tab, message.jobs);
      case 'hello': return this.announce();
      case 'away': return setConnected(false);
      case 'events': return message.events.forEach((event) => of(event.job).forEach((follower) => follower.hear(event)));
      case 'told': return Object.entries(message.told).forEach(([id, seq]) => of(id).forEach((follower) => follower.join(seq)));
      case 'gone': return message.ids.flatMap(of).forEach((follower) => this.remove(follower));
      default:
        setConnected(true);
        return message.ids.flatMap(of).forEach((follower) => follower.open(message.again));
    }
  }
}

let hub = null;

/** Calls onEvent(type, data) for each event of the job after `after`, in order, until `signal` aborts; onOpen() when the stream is
 * there, and each time that it is again after it was lost. Nothing is told while the page is hidden, and all of it afterwards. */
export async function followJob(id, { after = 0, signal, onEvent, onOpen }) {
  const name = await scope();
  if (signal.aborted) return;
  if (!hub) {
    hub = new Hub(name);
    onTokenChange(() => { hub?.end(); hub = null; }, hub.life.signal);
  }
  hub.add(new Follower(id, { after, signal, onEvent, onOpen }));
}

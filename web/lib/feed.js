// lib/feed.js: the one event stream of a browser, in the tab that leads: of all jobs that any tab wants to hear of.
//
// What happens is said to all tabs, as messages that lib/hub.js understands:
//   {type: 'events', events}   what the stream told, in its order
//   {type: 'told', told}       {id: seq}: events up to seq are not told any more; who lacks some reads them from the list
//   {type: 'open', ids, again} the stream of these jobs is there; again: after it was lost
//   {type: 'gone', ids}        there are no such jobs (any more)
//   {type: 'away'}             the daemon does not answer

import { backAgain } from './api.js';
import { readStream } from './stream.js';

const GATHER_MS = 30; // several wishes at once make one stream
const PRUNE_MS = 5000; // whom nobody wants any more is left out then; most streams have been opened anew until then
const FORGET_MS = 150000; // a tab that was not heard of for so long has crashed
const MOST = 100; // jobs of a stream, a limit of the daemon

export class Feed {
  constructor(say) {
    this.say = say;
    this.wants = new Map(); // tab → {jobs: {id: the last seq it knows}, heard}
    this.told = new Map(); // id → the last seq that the stream told
    this.open = new Set(); // jobs of the stream
    this.timer = 0;
  }

  /** What a tab wants from now on; nothing, if it is going. */
  want(tab, jobs) {
    const ids = Object.keys(jobs);
    if (ids.length) this.wants.set(tab, { jobs, heard: Date.now() });
    else this.wants.delete(tab);
    const told = ids.filter((id) => this.open.has(id)).map((id) => [id, this.told.get(id)]);
    if (told.length) this.say({ type: 'told', told: Object.fromEntries(told) });
    this.look(GATHER_MS);
  }

  look(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.update(), ms);
  }

  wanted() {
    for (const [tab, { heard }] of this.wants) if (Date.now() - heard > FORGET_MS) this.wants.delete(tab);
    return [...new Set([...this.wants.values()].flatMap(({ jobs }) => Object.keys(jobs)))];
  }

  update() {
    const ids = this.wanted();
    const more = ids.some((id) => !this.open.has(id));
    if (!more && ids.length && ids.length < this.open.size && !this.pruning) {
      this.pruning = true;
      this.look(PRUNE_MS);
    } else if (more || ids.length !== this.open.size) this.reopen(ids);
    else this.pruning = false;
  }

  /** Where the streams left off; a job that is new to them begins where the first of those that want it does. */
  reopen(ids) {
    this.pruning = false;
    this.reading?.abort();
    this.reading = new AbortController();
    for (const id of ids) if (!this.open.has(id)) this.told.set(id, this.least(id));
    this.open = new Set(ids);
    for (let i = 0; i < ids.length; i += MOST) this.read(ids.slice(i, i + MOST), this.reading.signal);
  }

  least(id) {
    return Math.min(...[...this.wants.values()].filter(({ jobs }) => id in jobs).map(({ jobs }) => jobs[id]));
  }

  async read(ids, signal) {
    let wait = 250;
    let again = false;
    const onOpen = () => {
      this.say({ type: 'open', ids, again });
      wait = 250;
    };
    const onEvents = (events) => this.tell(events);
    while (!signal.aborted) {
      const after = ids.map((id) => this.told.get(id)).join();
      try {
        if (!await readStream(`v1/events?jobs=${ids.join()}&after=${after}`, signal, { onOpen, onEvents })) return this.settle(ids);
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 404 || error.status === 401) return this.refused(error, ids);
        this.say({ type: 'away' });
      }
      again = true;
      await backAgain(wait, signal);
      wait = Math.min(8000, wait * 2);
    }
  }

  tell(events) {
    for (const { job, seq } of events) this.told.set(job, seq);
    this.say({ type: 'events', events });
  }

  /** They have ended. Should a tab want one of them again, because it was tried again, it is asked for. */
  settle(ids) {
    for (const id of ids) this.open.delete(id);
    for (const { jobs } of this.wants.values()) for (const id of ids) delete jobs[id];
  }

  refused({ status, missing }, ids) {
    const gone = status === 404 && missing.length ? missing : ids;
    this.settle(gone);
    if (status === 404) this.say({ type: 'gone', ids: gone });
    for (const id of ids) this.open.delete(id); // the others are asked for without those
    this.look(GATHER_MS);
  }

  close() {
    clearTimeout(this.timer);
    this.reading?.abort();
  }
}

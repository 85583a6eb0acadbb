// lib/jobs.js: the runs of this daemon as they are now. One list for the whole page, whichever view is open.
//
// Whole pages of it are read once, and again rarely; the runs that are at work each second, with the newest few, so that new
// ones appear. What has left the work is read once more. A view that shows the list says how much of it (want()); without one
// only those at work are watched, for who tells what happens to them (lib/news.js). Studies stand for their children.

import { get, pause, visible } from './api.js';
import { terminal } from './format.js';

const PAGE = 100; // the most that the daemon gives at once
const NEWEST = 10;
const WORKING = ['running', 'pausing', 'paused', 'cancelling'];
const TICK_MS = 1000; // while something runs and its list is seen
const IDLE_MS = 3000;
const WHOLE_MS = 30000; // between two readings of all of it
const SOON_MS = 3000; // where the queue has moved

const listPath = (query) => `v1/jobs?study=none&${query}`;

class JobList {
  constructor() {
    this.known = new Map();
    this.order = []; // ids of the newest `wanted`, newest first
    this.more = false; // there are older ones
    this.wanted = 0;
    this.working = new Set();
    this.hidden = new Set(); // about to be deleted
    this.putAt = new Map(); // when this page learned of a job from a reply of its own
    this.wholeAt = -Infinity;
    this.due = false;
    this.latest = null; // when the newest job known was made; null: nothing has been read yet
    this.listeners = new Set();
    this.turn = Promise.resolve();
  }

  /** fn({news: [{job, before, fresh}], lost}) after every reading; `lost`: the problem, where there was one. `fresh`: made since the
   * reading before, and not known before. */
  watch(fn, signal) {
    this.listeners.add(fn);
    signal?.addEventListener('abort', () => this.listeners.delete(fn));
  }

  /** Newest first; before them those that are at work but older than the list reaches: the queue is first in, first out. */
  get listed() {
    const listed = new Set(this.order);
    const older = [...this.working].filter((id) => !listed.has(id));
    return [...older, ...this.order].filter((id) => !this.hidden.has(id)).map((id) => this.known.get(id)).filter(Boolean);
  }

  /** From now on the newest `count` are kept; read when it resolves. 0: no list is shown any more. */
  async want(count, signal) {
    this.wanted = count;
    if (!count) this.order = [];
    else await this.inTurn(() => this.readWhole(signal));
  }

  /** What a reply to this page said: newer than any reading on its way. */
  put(job) {
    if (job.object !== 'job') return;
    if (this.wanted && !this.known.has(job.id) && !job.trial) this.order.unshift(job.id);
    const news = this.merge(job, Infinity);
    this.putAt.set(job.id, performance.now());
    this.due = true;
    this.tell(news ? [news] : []);
    this.wake?.();
  }

  hide(ids) {
    ids.forEach((id) => this.hidden.add(id));
    this.tell([]);
  }

  unhide(ids) {
    ids.forEach((id) => this.hidden.delete(id));
    this.tell([]);
  }

  drop(ids) {
    for (const id of ids) this.forget(id);
    this.tell([]);
  }

  /** Until `signal` aborts, or the daemon wants a token. */
  async follow(signal) {
    for (;;) {
      if (!this.busyWith()) await visible(signal);
      if (signal.aborted) return;
      try {
        await this.inTurn(() => this.readDue(signal));
      } catch (problem) {
        if (signal.aborted || problem.status === 401) return;
        this.due = true;
        this.tell([], problem);
      }
      await this.rest(signal);
    }
  }

  // --- inside ------------------------------------------------------------------------------------------------------------

  busyWith() {
    return this.wanted > 0 && [...this.working].some((id) => this.known.get(id)?.status !== 'paused');
  }

  async rest(signal) {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    await pause(this.busyWith() ? TICK_MS : IDLE_MS, AbortSignal.any([signal, woken.signal]));
    this.wake = null;
  }

  /** One reading after the other: an older answer never comes after a newer one. */
  inTurn(read) {
    this.turn = this.turn.catch(() => {}).then(read);
    return this.turn;
  }

  readDue(signal) {
    const age = performance.now() - this.wholeAt;
    const whole = this.wanted > 0 && (age > WHOLE_MS || (this.due && age > SOON_MS));
    return whole ? this.readWhole(signal) : this.readWorking(signal);
  }

  async readWhole(signal) {
    const since = performance.now();
    const jobs = [];
    let more = true;
    while (more && jobs.length < this.wanted) {
      const after = jobs.length ? `&after=${jobs.at(-1).id}` : '';
      const page = await get(listPath(`limit=${Math.min(PAGE, this.wanted - jobs.length)}${after}`), signal);
      jobs.push(...page.data);
      more = page.has_more;
    }
    const older = more ? (await get(listPath(`status=${WORKING}&limit=${PAGE}`), signal)).data : [];
    const news = this.mergeAll([...jobs, ...older], since);
    const there = new Set([...jobs, ...older].map((job) => job.id));
    for (const id of [...this.known.keys()]) if (!there.has(id) && !(this.putAt.get(id) > since)) this.forget(id);
    this.order = jobs.map((job) => job.id);
    this.more = more;
    this.wholeAt = since;
    this.due = false;
    this.tell(news);
  }

  async readWorking(signal) {
    const since = performance.now();
    const [working, newest] = await Promise.all([get(listPath(`status=${WORKING}&limit=${PAGE}`), signal),
      get(listPath(`limit=${NEWEST}`), signal)]);
    const there = new Set([...working.data, ...newest.data].map((job) => job.id));
    const left = working.has_more ? [] : [...this.working].filter((id) => !there.has(id));
    const news = this.mergeAll([...working.data, ...newest.data, ...await this.readEach(left, signal)], since);
    this.prepend(newest.data);
    if (!this.wanted) for (const id of [...this.known.keys()]) if (!there.has(id)) this.forget(id);
    if (working.has_more || news.length) this.due = true;
    this.tell(news);
  }

  async readEach(ids, signal) {
    const read = (id) => get(`v1/jobs/${id}`, signal).catch((problem) => {
      if (problem.status !== 404) throw problem;
      this.forget(id);
      return null;
    });
    return (await Promise.all(ids.map(read))).filter(Boolean);
  }

  // Where none of the newest was known there may be more between them and the list: all of it is read anew.
  prepend(newest) {
    if (!this.wanted) return;
    const listed = new Set(this.order);
    const fresh = newest.filter((job) => !listed.has(job.id)).map((job) => job.id);
    if (!fresh.length) return;
    if (fresh.length === NEWEST) this.wholeAt = -Infinity;
    else this.order = [...fresh, ...this.order];
  }

  /** What is news of them: those that are new, too, without `before`. */
  mergeAll(jobs, since) {
    const news = jobs.map((job) => this.merge(job, since)).filter(Boolean);
    this.latest = Math.max(this.latest ?? 0, ...jobs.map((job) => job.created_at_ms));
    return news;
  }

  merge(job, since) {
    if (this.putAt.get(job.id) > since) return null; // asked before, answered after
    const before = this.known.get(job.id);
    this.known.set(job.id, job);
    this.note(job);
    return before?.status === job.status && (before.warnings?.length ?? 0) === (job.warnings?.length ?? 0) ? null
      : { job, before, fresh: !before && this.latest !== null && job.created_at_ms > this.latest };
  }

  note(job) {
    if (WORKING.includes(job.status)) this.working.add(job.id);
    else this.working.delete(job.id);
    if (terminal(job) && !this.wanted) this.putAt.delete(job.id);
  }

  forget(id) {
    this.known.delete(id);
    this.working.delete(id);
    this.order = this.order.filter((other) => other !== id);
    this.putAt.delete(id);
    this.hidden.delete(id);
  }

  tell(news, lost) {
    for (const fn of this.listeners) fn({ news, lost });
  }
}

export const jobs = new JobList();

// panels/state.js: why a run is not training, and what one can do about it.

import { get, post } from '../lib/api.js';
import { action } from '../lib/action.js';
import { complain, h, show } from '../lib/dom.js';
import { count, endedBy } from '../lib/format.js';

const REMEDIES = {
  diverged: 'Smaller steps help: a smaller lr, more warmup_epochs, or grad_clip. A fork from a checkpoint before it keeps what was good.',
  no_space: 'Space is needed in the data directory; then it goes on from its last checkpoint.',
  dependency_failed: 'The run it waited for did not succeed. Once that one has, try again.',
  time_limit: 'A longer time_limit_s, or a fork from its last checkpoint, lets it come to its end.',
};

const run = (id, text = id) => h('a', { href: `#/runs/${id}` }, text);

export class StateCard {
  constructor(path, signal) {
    Object.assign(this, { path, signal, at: '' });
    this.failure = h('section', { class: 'card warn', role: 'alert', hidden: true });
    this.waits = h('section', { class: 'card note', hidden: true });
    this.node = h('div', { class: 'run-state', hidden: true }, this.failure, this.waits);
  }

  /** Told anew only where it differs: what one is reading stays. */
  update(job) {
    const at = JSON.stringify([job.status, job.queue_position, job.error, job.depends_on, job.stop_reason]);
    if (at === this.at) return;
    this.at = at;
    this.say(this.failure, job.error ? this.failed(job) : []);
    this.say(this.waits, { queued: [h('p', {}, 'Waits for its turn.')], paused: this.paused(job), cancelled: job.error ? [] : this.cancelled(job) }[job.status] ?? []);
    if (job.status === 'queued') this.whyItWaits(job).then((said) => this.at === at && this.say(this.waits, said), () => {});
  }

  say(card, content) {
    card.replaceChildren(...content.filter(Boolean));
    show(card, content.length > 0);
    show(this.node, !this.failure.hidden || !this.waits.hidden);
  }

  failed({ error, allowed }) {
    const remedy = REMEDIES[error.code];
    return [h('h2', {}, `Failed: ${error.code}`), h('p', { class: 'detail' }, error.detail), remedy && h('p', {}, remedy),
      allowed.includes('retry') && h('p', { class: 'quiet' }, 'Try again goes on from its last checkpoint, or begins anew where there is none.')];
  }

  paused({ progress }) {
    return [h('p', {}, `Paused in epoch ${Math.min(progress.epoch + 1, progress.epochs)}, at step ${count(progress.step)}. It holds no worker, and goes on as if nothing had happened.`)];
  }

  cancelled(job) {
    const { epoch } = job.progress;
    return [h('p', {}, `Ended by ${endedBy(job) || 'being cancelled'}, ${epoch ? `after epoch ${epoch}. What it had saved can be used, forked and tried again from.` : 'before its first epoch was done.'}`)];
  }

  async whyItWaits({ queue_position: place, depends_on: others }) {
    const open = await this.unfinished(others ?? []);
    if (open.length) return [h('p', {}, 'Waits for the end of ', open.map((job, i) => [i ? ', ' : '', run(job.id, job.name || job.id), ` (${job.status})`]).flat(), '.')];
    const { paused } = await get('v1/queue', this.signal);
    if (paused) return [h('p', {}, 'The queue is paused: nothing begins before it goes on.'), this.resumeQueue()];
    const ahead = place > 1 ? `${place - 1} ${place === 2 ? 'run is' : 'runs are'} before it` : 'it is the next one';
    return [h('p', {}, `All workers are busy; ${ahead}. A higher priority brings a run forward.`)];
  }

  async unfinished(ids) {
    const all = await Promise.all(ids.slice(0, 5).map((id) => get(`v1/jobs/${id}`, this.signal).catch(() => null)));
    return all.filter((job) => job && job.status !== 'succeeded');
  }

  resumeQueue() {
    const path = 'v1/queue/resume';
    const resume = async () => {
      await post(path, undefined, this.signal).catch(complain);
      this.at = ''; // its reason is another one now
    };
    return action({ text: 'Resume the queue', request: () => ({ path, method: 'POST' }), onclick: resume }).node;
  }
}

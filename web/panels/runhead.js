// panels/runhead.js: the head of a run's page: its name, state and commands, how far it is, and what it is worth so far.

import { h, setText, show } from '../lib/dom.js';
import { clock, count, duration, endedBy, gapText, loss, measured, percent, progressOf, terminal, trained } from '../lib/format.js';
import { progressBar, statusPill } from '../lib/status.js';

const FEW = 4; // figures of the end that have room beside the others

/** What the end of a run is worth, as far as single numbers say it. */
const testFacts = (test) => Object.entries(test ?? {}).filter(([, value]) => typeof value === 'number')
  .map(([name, value]) => [`test ${name}`, measured(name, value)]);

/** [name, value] as terms and descriptions; the nodes stay where only the values change. */
function fill(list, facts) {
  while (list.children.length < facts.length) list.append(h('div', {}, h('dt'), h('dd')));
  while (list.children.length > facts.length) list.lastChild.remove();
  facts.forEach(([name, value], i) => {
    setText(list.children[i].children[0], name);
    setText(list.children[i].children[1], value);
  });
}

export class RunHead {
  constructor(job, kind, actions) {
    const { name, id, preset } = job;
    this.kind = kind;
    this.pill = statusPill();
    this.bar = progressBar('Progress of this run');
    this.facts = h('dl', { class: 'facts' });
    this.figures = h('dl', { class: 'figures' });
    this.more = h('details', { hidden: true }, h('summary', {}, 'All figures of its test'), this.figures);
    this.announce = h('span', { class: 'offscreen', role: 'status' });
    this.heading = h('h1', { tabindex: '-1', title: name || id }, name || id);
    this.node = h('section', { class: 'run-head' },
      h('div', { class: 'head' }, this.heading, this.pill.node,
        h('span', { class: 'quiet' }, [job.kind, preset, name && id].filter(Boolean).join(' · '), this.origin(job)), this.announce, actions),
      h('div', { class: 'run-progress' }, this.bar.node), this.facts, this.more);
  }

  /** What it goes on from, and whose end it waits for. */
  origin({ id, from, depends_on: others, trial }) {
    const run = (ref, text) => h('a', { href: `#/runs/${ref}` }, text);
    return [trial && [` · ${trial.phase} ${trial.number} of `, run(trial.study, trial.study)],
      from && [' · from ', run(from.job, `${from.job}@${from.checkpoint}`),
        !this.kind.from && [' · ', h('a', { href: `#/compare/${from.job},${id}` }, 'compare both')]], // a fork; other kinds measure other things
      others?.length && [' · after ', others.map((ref, i) => [i ? ', ' : '', run(ref, ref)])]].filter(Boolean).flat(3).filter(Boolean);
  }

  leave() {
    this.heading.focus({ preventScroll: true });
  }

  update(job) {
    if (this.pill.node.dataset.status !== job.status) setText(this.announce, `Run is ${job.status}`);
    this.pill.set(job);
    this.bar.set(progressOf(job));
    const tests = testFacts(job.test);
    fill(this.facts, [...this.how(job), ...(tests.length > FEW ? [] : tests), ...this.besides(job)]);
    show(this.more, tests.length > FEW);
    fill(this.figures, tests.length > FEW ? tests.map(([name, value]) => [name.replace('test ', ''), value]) : []);
  }

  how(job) {
    const p = job.progress ?? {};
    return [
      ['epoch', `${p.epoch ?? 0} / ${p.epochs ?? '–'}`],
      ['done', percent(progressOf(job)) || '0%'],
      ['step', `${count(p.step ?? 0)} / ${count(p.steps)}`],
      ['speed', p.samples_per_s ? `${count(p.samples_per_s)} ${this.kind.trains ? 'images' : 'points'}/s` : '–'],
      terminal(job) ? [this.kind.trains ? 'trained for' : 'took', trained(job)] : ['time left', duration(p.eta_ms)],
      this.kind.trains && [job.best?.metric ? `best ${job.best.metric}` : 'best', job.best ? `${loss(job.best.value)} (epoch ${job.best.epoch})` : '–'],
      !job.test && ['started', clock(job.started_at_ms)],
    ].filter(Boolean);
  }

  besides(job) {
    return [
      job.from && terminal(job) && ['with what it goes on from', duration(job.lineage_train_s * 1000)],
      job.generalisation_gap && ['generalisation gap', gapText(job.generalisation_gap)],
      job.queue_position && ['in the queue', `#${job.queue_position}`],
      endedBy(job) && ['ended by', endedBy(job)],
    ].filter(Boolean);
  }
}

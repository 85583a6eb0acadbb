// panels/params.js: the parameters of a run as they were resolved, and where they differ: from its preset, and from the run it was
// forked from.

import { h, newId, setText, show } from '../lib/dom.js';
import { param } from '../lib/format.js';
import { same } from '../lib/request.js';

export class ParamsPanel {
  constructor(kind) {
    this.kind = kind;
    this.parent = null;
    this.only = h('input', { type: 'checkbox', onchange: () => this.draw() });
    this.choice = h('label', {}, this.only, 'only what differs');
    this.said = h('p', { class: 'quiet' });
    this.body = h('div', { class: 'param-groups' });
    const id = newId('params');
    this.node = h('section', { class: 'card params-panel', 'aria-labelledby': id },
      h('div', { class: 'head' }, h('h2', { id }, 'Parameters'), h('div', { class: 'controls' }, this.choice)), this.said, this.body);
  }

  setParent(job) {
    this.parent = job;
    this.shown = '';
    if (this.job) this.update(this.job);
  }

  /** They may change while it runs. */
  update(job) {
    this.job = job;
    const text = JSON.stringify(job.params);
    if (text === this.shown) return;
    this.shown = text;
    this.draw();
  }

  /** [[what, value]] of what it is elsewhere. */
  others(name, value) {
    const preset = this.kind.presets.find((row) => row.name === this.job.preset)?.params ?? {};
    const parent = this.parent?.params ?? {};
    return [[this.job.preset, preset[name]], ['before the fork', parent[name]]].filter(([, other]) => other !== undefined && !same(other, value));
  }

  draw() {
    const schema = this.kind.params.properties;
    const rows = Object.entries(this.job.params ?? {}).map(([name, value]) => ({ name, value, others: this.others(name, value), ...schema[name], title: schema[name]?.description }))
      .sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
    const differing = rows.filter(({ others }) => others.length);
    setText(this.said, differing.length ? `${differing.length} of ${rows.length} differ from ${this.parent ? 'the preset, or from the run before' : `the preset ${this.job.preset}`}.`
      : `All ${rows.length} are as the preset ${this.job.preset} has them.`);
    show(this.choice, differing.length > 0);
    const shown = this.only.checked ? differing : rows;
    const groups = [...new Set(shown.map(({ group }) => group ?? ''))];
    this.body.replaceChildren(...groups.flatMap((group) => [group && h('h3', {}, group),
      h('dl', { class: 'params' }, shown.filter((row) => (row.group ?? '') === group).map((row) => this.item(row)))]).filter(Boolean));
  }

  item({ name, value, others, title }) {
    return h('div', { title, class: others.length ? 'changed' : '' }, h('dt', {}, name), h('dd', {}, param(value)),
      others.map(([where, other]) => h('dd', { class: 'other' }, `${where}: ${param(other)}`)));
  }
}

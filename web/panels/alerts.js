// panels/alerts.js: what goes wrong in a run, each with what to do about it, where it cannot be overlooked.

import { h, show } from '../lib/dom.js';
import { alertsOf } from '../lib/history.js';

const when = ({ epoch, since, times }) => (times > 1 ? `epochs ${since} to ${epoch}, ${times} times` : `epoch ${epoch}`);

export class AlertsCard {
  constructor() {
    this.list = h('ul');
    this.node = h('section', { class: 'card warn alerts', 'aria-label': 'Alerts', hidden: true }, this.list);
    this.alerts = [];
    this.warnings = [];
  }

  setEvents(events) {
    this.alerts = alertsOf(events);
    this.draw();
  }

  setWarnings(warnings) {
    this.warnings = warnings;
    this.draw();
  }

  draw() {
    const told = new Set(this.alerts.map(({ message }) => message));
    const others = this.warnings.filter((text) => !told.has(text));
    const text = JSON.stringify([this.alerts, others]);
    if (text === this.shown) return;
    this.shown = text;
    show(this.node, this.alerts.length + others.length > 0);
    this.list.replaceChildren(...this.alerts.map((alert) => h('li', {}, h('strong', {}, alert.text ?? alert.message), ' ',
      h('span', { class: 'quiet' }, `(${when(alert)})`), alert.remedy && h('p', {}, h('span', { class: 'todo' }, 'What helps: '), alert.remedy))),
    ...others.map((warning) => h('li', {}, warning)));
  }
}

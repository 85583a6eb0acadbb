// panels/new_json.js: the request as JSON, in step with the form both ways. What is typed here is sent as it is typed.

import { h, newId, setText, show } from '../lib/dom.js';
import { placeOf, readJson, writeJson } from '../lib/json_text.js';
import { same } from '../lib/request.js';

export class JsonPanel {
  /** `onEdit(value)`: somebody has typed another request. */
  constructor(onEdit) {
    Object.assign(this, { onEdit, broken: null, places: new Map() });
    const id = newId('json');
    this.area = h('textarea', { id, class: 'json-text', rows: '12', spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off',
      'aria-describedby': `${id}-errors`,
      oninput: () => this.read() });
    this.list = h('ul', { class: 'json-errors', id: `${id}-errors`, hidden: true });
    this.node = h('div', { class: 'json-panel' }, h('h3', {}, h('label', { for: id }, 'The same as JSON')), this.area, this.list);
  }

  read() {
    try {
      const { value, places } = readJson(this.area.value);
      Object.assign(this, { broken: null, places });
      this.say([]);
      this.onEdit(value);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.broken = error;
      this.list.replaceChildren(this.row(error.at, `line ${error.line}, column ${error.column}: ${error.message}`));
      this.setInvalid(true);
      this.onEdit(null);
    }
  }

  /** The request that the form makes. A text that says the same stays as it was typed. */
  write(value) {
    if (!this.broken) {
      const now = this.area.value && readJson(this.area.value).value;
      if (now && same(now, value)) return;
    }
    this.area.value = writeJson(value);
    this.area.rows = Math.min(24, Math.max(6, this.area.value.split('\n').length + 1));
    Object.assign(this, { broken: null, places: readJson(this.area.value).places });
    this.say([]);
  }

  /** What the daemon says against it: [{pointer, detail}]; each leads to its line. */
  say(errors) {
    if (this.broken) return;
    this.list.replaceChildren(...errors.map(({ pointer, detail }) => {
      const { at, line } = placeOf(this.area.value, this.places, pointer);
      return this.row(at, `line ${line}: ${detail}`);
    }));
    this.setInvalid(errors.length > 0);
  }

  row(at, text) {
    return h('li', {}, h('button', { type: 'button', class: 'link', onclick: () => this.goTo(at) }, text));
  }

  setInvalid(invalid) {
    show(this.list, invalid);
    if (invalid) this.area.setAttribute('aria-invalid', 'true');
    else this.area.removeAttribute('aria-invalid');
  }

  /** The line is selected, and seen. */
  goTo(at) {
    const text = this.area.value;
    const start = text.lastIndexOf('\n', at - 1) + 1;
    const end = text.indexOf('\n', at);
    this.area.focus();
    this.area.setSelectionRange(start, end < 0 ? text.length : end);
    this.area.scrollTop = (text.slice(0, start).split('\n').length - 4) * parseFloat(getComputedStyle(this.area).lineHeight);
  }
}

/** What a run would take, in rows; what is not known is said with what would tell it. */
export class EstimatePanel {
  constructor() {
    this.facts = h('dl', { class: 'facts estimate', 'aria-live': 'off' });
    this.remedy = h('p', { class: 'hint', hidden: true });
    this.node = h('div', {}, this.facts, this.remedy);
  }

  set(rows, remedy) {
    while (this.facts.children.length > rows.length) this.facts.lastChild.remove();
    while (this.facts.children.length < rows.length) this.facts.append(h('div', {}, h('dt'), h('dd')));
    rows.forEach(([name, value], i) => {
      setText(this.facts.children[i].children[0], name);
      setText(this.facts.children[i].children[1], value);
    });
    setText(this.remedy, remedy);
    show(this.remedy, Boolean(remedy));
  }
}

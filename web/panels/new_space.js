// panels/new_space.js: the search space of a study as rows, and the run that its trials are of. Both are fields of JSON: what the rows
// cannot say is written as such, and the rows follow.

import { get } from '../lib/api.js';
import { h, newId, setText } from '../lib/dom.js';
import { Field, parseValue } from '../lib/form.js';

const number = (text) => parseValue({ type: 'number' }, text);
const listed = (text) => text.split(',').map((part) => part.trim()).filter(Boolean).map((part) => number(part));
const said = (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value));

/** "n_conv=3,4; norm=batch" ↔ {n_conv: [3, 4], norm: "batch"} */
export function whenOf(text) {
  const parts = text.split(';').map((part) => part.trim()).filter(Boolean).map((part) => part.split('='));
  return Object.fromEntries(parts.map(([name, values = '']) => [name.trim(), listed(values).length === 1 ? listed(values)[0]
    : listed(values)]));
}
export const whenText = (when) => Object.entries(when ?? {}).map(([name,
  values]) => `${name}=${[values].flat().map(said).join(',')}`).join('; ');

/** What a row's form can say of a dimension: 'range', 'values', or 'json' for anything more. */
export function formOf(spec) {
  if (spec === null || typeof spec !== 'object') return 'json';
  const keys = Object.keys(spec).filter((key) => key !== 'when');
  const plain = (value) => value === undefined || typeof value === 'number';
  if (Array.isArray(spec.values) && keys.length === 1 && spec.values.every((value) => value === null
    || typeof value !== 'object')) return 'values';
  const range = ['low', 'high', 'log', 'step'];
  return keys.every((key) => range.includes(key)) && [spec.low, spec.high, spec.step].every(plain) ? 'range' : 'json';
}

/** The range that a parameter would have if nobody said: around its default, within its bounds. */
export function usualRange(row) {
  if (!row) return { low: 0, high: 1 };
  if (row.enum) return { values: row.enum };
  if (row.type === 'boolean') return { values: [false, true] };
  const { minimum = 0, maximum = 1, default: usual } = row.items ? { ...row.items, default: row.default[0] } : row;
  if (row.type === 'number' && maximum <= 1 && maximum > 0.3) return { low: minimum, high: maximum >= 0.99 ? 0.5 : maximum };
  if (row.type === 'number') return { low: Math.max(minimum, (usual || 0.001) / 30), high: Math.min(maximum, (usual || 0.001) * 30),
    log: true };
  return { low: Math.max(minimum, Math.floor((usual || 2) / 2)), high: Math.min(maximum, (usual || 2) * 2) };
}

/** Rows above a text of JSON; both say the same. A subclass fills `rows` from a value and reads it from them. */
class RowsField extends Field {
  constructor(name, schema, onChange) {
    super(name, schema, () => { this.fill(); onChange(); });
    this.ready = true;
    this.node.classList.add('rows-field');
    this.list = h('div', { class: 'rows' });
    const text = h('details', {}, h('summary', {}, `${name} as JSON`));
    this.input.replaceWith(this.list);
    text.append(this.input);
    this.error.after(text);
    this.node.querySelector('label').before(h('h3', { class: 'rows-title' }, name));
    this.node.querySelector('label').remove();
    this.input.setAttribute('aria-label', `${name} as JSON`);
    this.tell = () => {
      this.input.value = JSON.stringify(this.read());
      this.mark();
      onChange();
    };
  }

  write(value) {
    super.write(value);
    if (this.ready) this.fill();
  }

  // Rows that are being typed in say what the text says already.
  fill() {
    const { value } = this;
    if (this.list && JSON.stringify(this.read()) !== JSON.stringify(value)) this.build(value && typeof value === 'object' ? value : {});
  }

  input_(label, value, cls, more = {}) {
    return h('input', { type: 'text', 'aria-label': label, class: cls, value, autocomplete: 'off', spellcheck: 'false',
      oninput: this.tell, ...more });
  }
}

/** Name, form, bounds, condition of each dimension. */
export class SpaceField extends RowsField {
  /** `names`: id of a list of names that parameters may have; `rowOf(name)`: the schema of one. */
  constructor(name, schema, onChange, { names, rowOf }) {
    super(name, schema, onChange);
    Object.assign(this, { names, rowOf });
    this.list.after(h('button', { type: 'button', class: 'small', onclick: () => this.add() }, 'Add a parameter'));
    this.build(this.value ?? {});
  }

  build(value) {
    this.list.replaceChildren(...Object.entries(value).map(([name, spec]) => this.row(name, spec)));
  }

  row(name, spec) {
    const node = h('div', { class: 'space-row', role: 'group', 'aria-label': `parameter ${name}` });
    node.spec = spec;
    const rename = this.input_('parameter', name, 'space-name', { list: this.names, onchange: () => this.named(node) });
    const form = h('select', { 'aria-label': `what ${name} may be`, onchange: () => this.reform(node, form.value) },
      [['range', 'range'], ['values', 'one of'], ['json', 'JSON']].map(([value, text]) => h('option', { value }, text)));
    form.value = formOf(spec);
    const remove = h('button', { type: 'button', class: 'icon', 'aria-label': `remove ${name}`, onclick: () => this.drop(node) }, '×');
    node.append(rename, form, h('span', { class: 'space-what' }, this.what(spec, form.value, name)), remove);
    return node;
  }

  /** The controls of a form. */
  what(spec, form, name) {
    const when = form === 'json' ? null : this.input_(`${name} is there when`, whenText(spec.when), 'space-when',
      { placeholder: 'when: n=2,3' });
    if (form === 'values') return [this.input_(`values of ${name}`, (spec.values ?? []).map(said).join(', '), 'space-values',
      { placeholder: 'a, b, c' }), when];
    if (form === 'json') return [this.input_(`${name} as JSON`, JSON.stringify(spec), 'space-json')];
    return [this.input_(`${name} from`, spec.low === undefined ? '' : said(spec.low), 'space-low', { inputmode: 'decimal' }),
      h('span', { class: 'quiet', 'aria-hidden': 'true' }, '…'),
      this.input_(`${name} to`, spec.high === undefined ? '' : said(spec.high), 'space-high', { inputmode: 'decimal' }),
      h('label', { class: 'space-log' }, h('input', { type: 'checkbox', checked: Boolean(spec.log), 'aria-label': `${name} logarithmic`,
        onchange: this.tell }), 'log'),
      this.input_(`${name} step`, spec.step === undefined ? '' : said(spec.step), 'space-step',
        { placeholder: 'step', inputmode: 'decimal' }), when];
  }

  /** What one row says. */
  specOf(node) {
    const form = node.querySelector('select').value;
    const text = (cls) => node.querySelector(`.${cls}`)?.value.trim() ?? '';
    if (form === 'json') {
      try {
        return JSON.parse(text('space-json'));
      } catch {
        return text('space-json');
      }
    }
    const when = text('space-when') ? { when: whenOf(text('space-when')) } : {};
    if (form === 'values') return { values: listed(text('space-values'))
      .map((value) => ({ true: true, false: false, null: null }[value] ?? (value === 'null' ? null : value))), ...when };
    return { ...(text('space-low') && { low: number(text('space-low')) }), ...(text('space-high') && { high: number(text('space-high')) }),
      ...(node.querySelector('.space-log input').checked && { log: true }),
        ...(text('space-step') && { step: number(text('space-step')) }), ...when };
  }

  read() {
    return Object.fromEntries([...this.list.children].map((node) => [node.querySelector('.space-name').value.trim(), this.specOf(node)]));
  }

  reform(node, form) {
    const name = node.querySelector('.space-name').value;
    const spec = form === 'values' ? { values: this.rowOf(name)?.enum ?? [] } : form === 'range'
      ? usualRange(this.rowOf(name)?.enum ? null : this.rowOf(name)) : node.spec;
    node.querySelector('.space-what').replaceChildren(...this.what(spec, form, name).filter(Boolean));
    this.tell();
  }

  /** A name that is a parameter brings a range that makes sense, where there was none yet. */
  named(node) {
    const name = node.querySelector('.space-name').value.trim();
    if (node.fresh && this.rowOf(name)) {
      const next = this.row(name, usualRange(this.rowOf(name)));
      node.replaceWith(next);
      next.querySelector('.space-what input').focus();
    }
    this.tell();
  }

  add() {
    const node = this.row('', { low: 0, high: 1 });
    node.fresh = true;
    this.list.append(node);
    node.querySelector('.space-name').focus();
  }

  drop(node) {
    const next = node.nextElementSibling ?? node.previousElementSibling;
    node.remove();
    (next?.querySelector('.space-name') ?? this.list.parentNode.querySelector('button')).focus();
    this.tell();
  }

  setError(text, pointer) {
    super.setError(text);
    const name = pointer?.slice(this.pointer.length + 1).split('/')[0];
    for (const node of this.list?.children ?? []) {
      const mine = Boolean(text) && node.querySelector('.space-name').value === name;
      node.querySelector('.space-name').toggleAttribute('aria-invalid', mine);
    }
    if (text && name) setText(this.error, `${name}: ${text}`);
  }
}

/** What trials are of where the space says nothing: kind, preset, and parameters that differ from it. */
export class BaseField extends RowsField {
  /** `onKind(kind)`: with the schema of the chosen one. */
  constructor(name, schema, onChange, { kinds, onKind, signal }) {
    super(name, schema, onChange);
    Object.assign(this, { onKind, signal, known: new Map(), names: newId('names') });
    const id = newId('base');
    this.kindInput = h('select', { id, onchange: () => this.choose() }, h('option', { value: '' }, 'choose a kind'),
      kinds.filter(({ trains }) => trains).map(({ kind }) => h('option', { value: kind }, kind)));
    this.preset = h('select', { id: `${id}-preset`, onchange: this.tell });
    this.fromInput = this.input_('from', '', '', { placeholder: 'a finished run' });
    this.fromLabel = h('label', { class: 'base-from', hidden: true }, 'from ', this.fromInput);
    this.params = h('div', { class: 'rows' });
    this.datalist = h('datalist', { id: this.names });
    this.list.append(h('div', { class: 'base-row' }, h('label', { for: id }, 'kind '), this.kindInput,
      h('label', { for: `${id}-preset` }, 'preset '), this.preset, this.fromLabel), this.params,
      h('button', { type: 'button', class: 'small', onclick: () => this.addParam('', '').querySelector('input').focus() },
        'Change a parameter'), this.datalist);
    this.build(this.value ?? {});
  }

  build(value) {
    const { kind = '', preset, params = {}, from, ...rest } = value;
    this.rest = rest;
    this.kindInput.value = kind;
    this.fromInput.value = from === undefined || from === null ? '' : typeof from === 'object'
      ? `${from.job}@${from.checkpoint ?? 'best'}` : from;
    this.params.replaceChildren();
    for (const [name, one] of Object.entries(params)) this.addParam(name, one);
    this.wanted = preset;
    this.setPresets(kind).catch(() => {});
  }

  async choose() {
    this.wanted = undefined;
    this.params.replaceChildren();
    await this.setPresets(this.kindInput.value);
    this.tell();
  }

  async setPresets(name) {
    if (name && !this.known.has(name)) this.known.set(name, await get(`v1/kinds/${name}`, this.signal));
    const kind = this.known.get(name);
    if (!kind || this.kindInput.value !== name) return;
    this.preset.replaceChildren(...kind.presets.map((preset) => h('option', { value: preset.name, title: preset.description },
      preset.name)));
    this.preset.value = this.wanted ?? kind.default_preset;
    this.fromLabel.hidden = !kind.from;
    this.datalist.replaceChildren(...Object.keys(kind.params.properties).map((one) => h('option', { value: one })));
    this.onKind(kind);
  }

  addParam(name, value) {
    const node = h('div', { class: 'base-param' }, this.input_('parameter of the base', name, 'space-name', { list: this.names }),
      this.input_('its value', typeof value === 'string' ? value : JSON.stringify(value), 'base-value'),
      h('button', { type: 'button', class: 'icon', 'aria-label': `remove ${name}`, onclick: () => { node.remove(); this.tell(); } }, '×'));
    this.params.append(node);
    return node;
  }

  read() {
    const of = (text) => {
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    };
    const params = Object.fromEntries([...this.params?.children ?? []]
      .map((node) => [...node.querySelectorAll('input')].map(({ value }) => value.trim()))
      .filter(([name]) => name).map(([name, value]) => [name, of(value)]));
    const kind = this.kindInput?.value;
    if (!kind) return {};
    const preset = this.preset.value || this.wanted;
    const usual = preset === this.known.get(kind)?.default_preset;
    return { kind, ...(preset && !(usual && this.wanted === undefined) && { preset }),
      ...(this.fromInput.value && { from: this.fromInput.value }),
      ...(Object.keys(params).length && { params }), ...this.rest };
  }
}

// lib/form.js: fields made from a kind's JSON Schema. What is allowed is the daemon's to say; here texts only become values.

import { complain, h, newId, setText, show } from './dom.js';
import { param } from './format.js';
import { nudged } from './nudge.js';
import { same } from './request.js';

const GROUPS = { study: 'Study', net: 'Net', training: 'Training', data: 'Data', output: 'Output' };

/** A text, or nothing. */
const isWord = (schema) => Array.isArray(schema.type) && schema.type.includes('string');
/** A value that its type says no more of: it is written as JSON. */
const isJson = (schema) => Array.isArray(schema.type) && !schema.properties && !isWord(schema);
const isNumeric = (schema) => schema.type === 'integer' || schema.type === 'number';

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Text → what goes into the request. A text that is no number goes as it is: the daemon names the field and the remedy. */
export function parseValue(schema, text) {
  const number = (part) => (part !== '' && Number.isFinite(Number(part)) ? Number(part) : part);
  const trimmed = text.trim();
  if (isWord(schema)) return trimmed.replace(/^"(.*)"$/, '$1') || null;
  if (isJson(schema)) return trimmed === '' ? null : parseJson(trimmed);
  if (schema.type === 'array') return trimmed === '' || trimmed === 'none' ? [] : trimmed.split(/[\s,]+/).filter(Boolean).map(number);
  if (isNumeric(schema)) return number(trimmed);
  return text;
}

function bounds(schema) {
  const { minimum, maximum, enum: choices } = schema.items ?? schema;
  if (schema.items && choices) return `any of ${choices.join(', ')}`;
  const each = schema.type === 'array' ? 'each ' : '';
  if (maximum === Number.MAX_SAFE_INTEGER) return ''; // a seed: any
  if (minimum !== undefined && maximum !== undefined) return `${each}${minimum} … ${maximum}`;
  return '';
}

function control(schema, id, onChange) {
  if (schema.type === 'boolean') return h('input', { id, type: 'checkbox', onchange: onChange });
  if (schema.enum) {
    const labelled = (choice) => h('option', { value: choice }, schema.labels?.[choice] ?? choice);
    return h('select', { id, onchange: onChange }, schema.enum.map(labelled));
  }
  if (isJson(schema)) return h('textarea', { id, rows: '3', autocomplete: 'off', spellcheck: 'false', oninput: onChange });
  const mode = { integer: 'numeric', number: 'decimal' }[schema.type] ?? 'text';
  return h('input', { id, type: 'text', inputmode: mode, autocomplete: 'off', spellcheck: 'false', oninput: onChange,
    list: schema.list ?? null,
    placeholder: schema.placeholder ?? null });
}

/** One labelled field: value, help, bounds, error text beneath it. */
export class Field {
  constructor(name, schema, onChange) {
    this.name = name;
    this.schema = schema;
    this.pointer = schema.pointer ?? `#/params/${name}`;
    this.changedBy = () => { this.mark(); onChange(); };
    const id = newId('field');
    this.input = control(schema, id, this.changedBy);
    this.error = h('p', { class: 'error', id: `${id}-error`, hidden: true });
    this.help = h('p', { class: 'hint', id: `${id}-help` }, schema.description, bounds(schema)
      && h('span', { class: 'bounds' }, bounds(schema)));
    this.input.setAttribute('aria-describedby', `${id}-help ${id}-error`);
    const type = isJson(schema) ? 'json' : isWord(schema) ? 'string' : schema.type;
    this.node = h('div', { class: `field ${type}` },
      h('label', { for: id }, name, schema.unit && schema.unit !== name && h('span', { class: 'quiet' }, ` ${schema.unit}`)),
      isNumeric(schema) ? this.steps() : this.input, this.help, this.error);
    this.base = schema.default;
    this.write(this.base);
  }

  /** A number's field with a little less and a little more beside it; the arrow keys do the same. */
  steps() {
    this.input.addEventListener('keydown', (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!way) return;
      event.preventDefault();
      this.nudge(way);
    });
    const button = (way, text, word) => h('button', { type: 'button', class: 'nudge', tabindex: '-1',
      'aria-label': `${word} ${this.name}`, onclick: () => this.nudge(way) }, text);
    return h('span', { class: 'steps' }, this.input, button(-1, '−', 'less'), button(1, '+', 'more'));
  }

  nudge(way) {
    if (this.input.disabled) return;
    this.write(nudged(this.schema, this.value, way));
    this.changedBy();
  }

  /** What "unchanged" means from now on. A value that has been changed wins over every preset, so it stays. */
  rebase(value) {
    const { changed } = this;
    this.base = value;
    if (!changed) this.write(value);
    this.mark();
  }

  /** A value from elsewhere, as if it had been typed. A text that means it already stays as it is. */
  set(value) {
    if (!same(this.value, value)) this.write(value);
    this.mark();
  }

  write(value) {
    if (this.schema.type === 'boolean') this.input.checked = value;
    else if (isJson(this.schema)) this.input.value = typeof value === 'string' ? value : JSON.stringify(value ?? null);
    else this.input.value = Array.isArray(value) ? value.join(', ') : String(value ?? '');
  }

  get value() {
    return this.schema.type === 'boolean' ? this.input.checked : parseValue(this.schema, this.input.value);
  }

  get changed() {
    return !same(this.value, this.base);
  }

  mark() {
    this.node.classList.toggle('changed', this.changed);
    this.input.title = this.changed ? `preset: ${param(this.base)}` : '';
  }

  /** It cannot be changed here; `why`: what is said of it. */
  lock(why) {
    this.node.classList.add('locked');
    for (const one of this.node.querySelectorAll('input, select, textarea, button')) one.disabled = true;
    this.input.title = why;
  }

  /** `word` in small letters: it is about that. */
  matches(word) {
    return this.name.toLowerCase().includes(word) || (this.schema.description ?? '').toLowerCase().includes(word);
  }

  /** "#/params/channels/1" is the field of "#/params/channels". */
  owns(pointer) {
    return pointer === this.pointer || pointer?.startsWith(`${this.pointer}/`);
  }

  setError(text) {
    setText(this.error, text ?? '');
    show(this.error, Boolean(text));
    if (text) this.input.setAttribute('aria-invalid', 'true');
    else this.input.removeAttribute('aria-invalid');
  }
}

/** A refusal at the fields that it names; in the corner where it names none of them. */
export function sayProblem(problem, fields) {
  const placed = (problem.errors ?? []).filter(({ pointer, detail }) => {
    const field = fields.find((one) => one.owns(pointer));
    field?.setError(detail);
    return field;
  });
  if (!placed.length) complain(problem);
}

/** A switch, and the fields that matter once it is on: an object, or null. */
class ObjectField extends Field {
  constructor(name, schema, onChange) {
    super(name, { ...schema, type: 'boolean', default: schema.default !== null }, () => { this.reveal(); onChange(); });
    this.members = rowsOf(schema).map(([member, row]) => [member,
      makeField(member, { ...row, pointer: `${this.pointer}/${member}` }, () => { this.mark(); onChange(); })]);
    this.usual = this.inner;
    this.base = schema.default;
    this.list = h('div', { class: 'fields members' }, this.members.map(([, field]) => field.node));
    this.node.classList.add('object');
    this.node.append(this.list);
    this.reveal();
  }

  get inner() {
    return Object.fromEntries(this.members.map(([name, field]) => [name, field.value]));
  }

  reveal() {
    show(this.list, this.input.checked);
  }

  write(value) {
    this.input.checked = Boolean(value);
    if (!this.members) return; // the switch alone, before it has any
    for (const [name, field] of this.members) field.rebase((value || this.usual)[name]);
    this.reveal();
  }

  /** What an object from elsewhere leaves out is as usual. */
  set(value) {
    this.input.checked = Boolean(value);
    if (value) for (const [name, field] of this.members) field.set(name in value ? value[name] : this.usual[name]);
    this.reveal();
    this.mark();
  }

  get value() {
    if (!this.members) return this.input.checked;
    return this.input.checked ? this.inner : null;
  }

  matches(word) {
    return super.matches(word) || (this.members ?? []).some(([, field]) => field.matches(word));
  }

  owns(pointer) {
    return pointer === this.pointer;
  }
}

const rowsOf = (schema) => Object.entries(schema.properties).sort(([, a], [, b]) => (a.order ?? 0) - (b.order ?? 0));
const makeField = (name, row, onChange) => new (row.properties ? ObjectField : Field)(name, row, onChange);

/** Fields under one heading, which may be closed; it says how many of them are not as the preset has them. */
class Group {
  constructor(name, fields) {
    this.fields = fields;
    this.count = h('span', { class: 'group-count' });
    this.node = h('details', { class: 'card group', open: name !== 'output' },
      h('summary', {}, h('h2', {}, GROUPS[name] ?? name), this.count),
      h('div', { class: 'fields' }, fields.map(({ node }) => node)));
  }

  update() {
    const changed = this.fields.filter((field) => field.changed).length;
    setText(this.count, changed ? `${changed} changed` : '');
  }

  /** Shows those of its fields of which `wanted(field)` is true; → how many. */
  filter(wanted, filtered) {
    let left = 0;
    for (const field of this.fields) {
      const is = wanted(field);
      show(field.node, is);
      left += is;
    }
    show(this.node, left > 0);
    if (filtered && left) this.node.open = true;
    return left;
  }
}

/** The parameters of a kind in their groups. `make(name, row, onChange)`: a field of its own for a row, or null. */
export class ParamsForm {
  constructor(schema, onChange, make = () => null) {
    const changed = () => { this.update(); onChange(); };
    const rows = rowsOf(schema);
    this.fields = new Map(rows.map(([name, row]) => [name, make(name, row, changed) ?? makeField(name, row, changed)]));
    const groups = new Map();
    for (const [name, row] of rows) {
      if (!groups.has(row.group)) groups.set(row.group, []);
      groups.get(row.group).push(this.fields.get(name));
    }
    this.groups = [...groups].map(([group, fields]) => new Group(group, fields));
    this.node = h('div', { class: 'params-form' }, this.tools(changed), this.groups.map(({ node }) => node), this.nothing);
  }

  tools(changed) {
    this.search = h('input', { type: 'search', placeholder: 'find a parameter', 'aria-label': 'Find a parameter',
      oninput: () => this.filter() });
    this.only = h('input', { type: 'checkbox', onchange: () => this.filter() });
    this.reset = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.restore(changed) }, 'As the preset');
    this.count = h('span', { class: 'quiet', role: 'status' });
    this.nothing = h('p', { class: 'quiet', hidden: true }, 'No parameter is like that.');
    return h('div', { class: 'controls form-tools' }, this.search, h('label', {}, this.only, 'only what is changed'), this.count,
      this.reset);
  }

  update() {
    const changed = [...this.fields.values()].filter((field) => field.changed).length;
    setText(this.count, changed ? `${changed} changed` : '');
    show(this.reset, changed > 0);
    this.groups.forEach((group) => group.update());
  }

  filter() {
    const word = this.search.value.trim().toLowerCase();
    const only = this.only.checked;
    const wanted = (field) => (!word || field.matches(word)) && (!only || field.changed);
    const left = this.groups.reduce((sum, group) => sum + group.filter(wanted, word || only), 0);
    show(this.nothing, left === 0);
  }

  restore(changed) {
    for (const field of this.fields.values()) field.set(field.base);
    this.search.focus();
    changed();
  }

  /** A preset's full values. */
  rebase(values) {
    for (const [name, field] of this.fields) if (name in values) field.rebase(values[name]);
    this.update();
  }

  /** Values from elsewhere; what they leave out is as the preset has it. → those that no field has. */
  set(values) {
    for (const [name, field] of this.fields) field.set(name in values ? values[name] : field.base);
    this.update();
    return Object.fromEntries(Object.entries(values).filter(([name]) => !this.fields.has(name)));
  }

  /** Every field, those within objects too. */
  get all() {
    return [...this.fields.values()].flatMap((field) => [field, ...(field.members ?? []).map(([, member]) => member)]);
  }

  get values() {
    return Object.fromEntries([...this.fields].map(([name, field]) => [name, field.value]));
  }
}

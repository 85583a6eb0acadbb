// lib/form.js: fields made from a kind's JSON Schema. What is allowed is the daemon's to say; here texts only become values.

import { complain, h, newId, setText, show } from './dom.js';
import { param } from './format.js';
import { same } from './request.js';

const GROUPS = { study: 'Study', net: 'Net', training: 'Training', data: 'Data', output: 'Output' };

/** A value that its type says no more of: it is written as JSON. */
const isJson = (schema) => Array.isArray(schema.type) && !schema.properties;

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
  if (isJson(schema)) return trimmed === '' ? null : parseJson(trimmed);
  if (schema.type === 'array') return trimmed === '' || trimmed === 'none' ? [] : trimmed.split(/[\s,]+/).filter(Boolean).map(number);
  if (schema.type === 'integer' || schema.type === 'number') return number(trimmed);
  return text;
}

function bounds(schema) {
  const { minimum, maximum, enum: choices } = schema.items ?? schema;
  if (schema.items && choices) return `any of ${choices.join(', ')}`;
  const each = schema.type === 'array' ? 'each ' : '';
  if (minimum !== undefined && maximum !== undefined) return `${each}${minimum} … ${maximum}`;
  return '';
}

function control(schema, id, onChange) {
  if (schema.type === 'boolean') return h('input', { id, type: 'checkbox', onchange: onChange });
  if (schema.enum) {
    return h('select', { id, onchange: onChange }, schema.enum.map((choice) => h('option', { value: choice }, choice)));
  }
  if (isJson(schema)) return h('textarea', { id, rows: '3', autocomplete: 'off', spellcheck: 'false', oninput: onChange });
  const mode = { integer: 'numeric', number: 'decimal' }[schema.type] ?? 'text';
  return h('input', { id, type: 'text', inputmode: mode, autocomplete: 'off', spellcheck: 'false', oninput: onChange });
}

/** One labelled field: value, help, bounds, error text beneath it. */
export class Field {
  constructor(name, schema, onChange) {
    this.schema = schema;
    this.pointer = schema.pointer ?? `#/params/${name}`;
    const id = newId('field');
    this.input = control(schema, id, () => { this.mark(); onChange(); });
    this.error = h('p', { class: 'error', id: `${id}-error`, hidden: true });
    this.help = h('p', { class: 'hint', id: `${id}-help` }, schema.description, bounds(schema) && h('span', { class: 'bounds' }, bounds(schema)));
    this.input.setAttribute('aria-describedby', `${id}-help ${id}-error`);
    this.node = h('div', { class: `field ${isJson(schema) ? 'json' : schema.type}` },
      h('label', { for: id }, name, schema.unit && schema.unit !== name && h('span', { class: 'quiet' }, ` ${schema.unit}`)), this.input, this.help, this.error);
    this.base = schema.default;
    this.write(this.base);
  }

  /** What "unchanged" means from now on. A value that has been changed wins over every preset, so it stays. */
  rebase(value) {
    const { changed } = this;
    this.base = value;
    if (!changed) this.write(value);
    this.mark();
  }

  write(value) {
    if (this.schema.type === 'boolean') this.input.checked = value;
    else if (isJson(this.schema)) this.input.value = JSON.stringify(value ?? null);
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
export class ObjectField extends Field {
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

  get value() {
    if (!this.members) return this.input.checked;
    return this.input.checked ? this.inner : null;
  }

  owns(pointer) {
    return pointer === this.pointer;
  }
}

const rowsOf = (schema) => Object.entries(schema.properties).sort(([, a], [, b]) => (a.order ?? 0) - (b.order ?? 0));
const makeField = (name, row, onChange) => new (row.properties ? ObjectField : Field)(name, row, onChange);

/** The parameters of a kind in their groups. */
export class ParamsForm {
  constructor(schema, onChange) {
    const rows = rowsOf(schema);
    this.fields = new Map(rows.map(([name, row]) => [name, makeField(name, row, onChange)]));
    const groups = new Map();
    for (const [name, row] of rows) {
      if (!groups.has(row.group)) groups.set(row.group, []);
      groups.get(row.group).push(this.fields.get(name).node);
    }
    this.node = h('div', { class: 'params-form' }, [...groups].map(([group, nodes]) => h('fieldset', { class: 'card' },
      h('legend', {}, GROUPS[group] ?? group), h('div', { class: 'fields' }, nodes))));
  }

  /** A preset's full values. */
  rebase(values) {
    for (const [name, field] of this.fields) if (name in values) field.rebase(values[name]);
  }

  /** Every field, those within objects too. */
  get all() {
    return [...this.fields.values()].flatMap((field) => [field, ...(field.members ?? []).map(([, member]) => member)]);
  }

  get values() {
    return Object.fromEntries([...this.fields].map(([name, field]) => [name, field.value]));
  }
}

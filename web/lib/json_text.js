// lib/json_text.js: JSON as people write it: read with the place of every value, so that an error has a line; written so that it can be
// read. Pure functions.

const SHORT = 44; // a list or an object that fits in so many characters is one line

class Reader {
  constructor(text) {
    Object.assign(this, { text, at: 0, places: new Map() });
  }

  fail(message) {
    const before = this.text.slice(0, this.at);
    const line = before.split('\n').length;
    const error = new SyntaxError(message);
    throw Object.assign(error, { at: this.at, line, column: this.at - before.lastIndexOf('\n') });
  }

  space() {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }

  /** One of the characters, after any space. */
  take(characters, expected) {
    this.space();
    const next = this.text[this.at];
    if (next === undefined) this.fail(`ends too early: ${expected} is missing`);
    if (!characters.includes(next)) this.fail(`expected ${expected}, got ${JSON.stringify(next)}`);
    this.at += 1;
    return next;
  }

  value(pointer) {
    this.space();
    this.places.set(pointer, this.at);
    const next = this.text[this.at];
    if (next === '{') return this.object(pointer);
    if (next === '[') return this.array(pointer);
    if (next === '"') return this.string();
    const word = /[^\s,\]}:"[{]*/y;
    word.lastIndex = this.at;
    const [found] = word.exec(this.text);
    return this.plain(found);
  }

  plain(word) {
    const known = { true: true, false: false, null: null };
    if (word in known) {
      this.at += word.length;
      return known[word];
    }
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(word)) this.fail(word ? `${JSON.stringify(word)} is no value; texts stand in "…"`
      : 'a value is missing');
    this.at += word.length;
    return Number(word);
  }

  string() {
    const match = /"(?:[^"\\]|\\.)*"/y;
    match.lastIndex = this.at;
    const found = match.exec(this.text);
    if (!found || found[0].includes('\n')) this.fail('this text has no closing "');
    try {
      const value = JSON.parse(found[0]);
      this.at += found[0].length;
      return value;
    } catch {
      return this.fail('this text has a character that JSON does not know');
    }
  }

  /** The members or entries up to the closing bracket; `one()` reads the next. */
  list(close, one) {
    this.at += 1;
    this.space();
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    do one(); while (this.take(`,${close}`, `, or ${close}`) === ',');
  }

  object(pointer) {
    const value = {};
    this.list('}', () => {
      this.space();
      if (this.text[this.at] !== '"') this.fail(this.text[this.at] === '}' ? 'a comma too many' : 'a name in "…" is missing');
      const start = this.at;
      const name = this.string();
      if (Object.hasOwn(value, name)) {
        this.at = start;
        this.fail(`"${name}" is there twice`);
      }
      this.take(':', ':');
      Object.defineProperty(value, name, { value: this.value(`${pointer}/${escaped(name)}`), enumerable: true, configurable: true,
        writable: true });
      this.places.set(`${pointer}/${escaped(name)}`, start);
    });
    return value;
  }

  array(pointer) {
    const value = [];
    this.list(']', () => value.push(this.value(`${pointer}/${value.length}`)));
    return value;
  }
}

const escaped = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** {value, places: Map(pointer → character)}; throws a SyntaxError with `at`, `line` and `column` of the first thing that is wrong. */
export function readJson(text) {
  const reader = new Reader(text);
  const value = reader.value('#');
  reader.space();
  if (reader.at < text.length) reader.fail('nothing may follow the last }');
  return { value, places: reader.places };
}

/** Where in the text a pointer leads: {at, line} of it, or of the nearest thing around it that is there. */
export function placeOf(text, places, pointer) {
  let path = pointer ?? '#';
  while (!places.has(path) && path.includes('/')) path = path.slice(0, path.lastIndexOf('/'));
  const at = places.get(path) ?? 0;
  return { at, line: text.slice(0, at).split('\n').length };
}

/** Indented, with what is short on one line. */
export function writeJson(value, indent = '') {
  const flat = JSON.stringify(value);
  if (value === null || typeof value !== 'object') return flat;
  const list = Array.isArray(value);
  const parts = list ? value.map((one) => [null, one]) : Object.entries(value);
  if (indent && flat.length + indent.length <= SHORT) return list ? `[${value.map((one) => writeJson(one, '  ')).join(', ')}]`
    : oneLine(value);
  if (!parts.length) return flat;
  const inner = `${indent}  `;
  const lines = parts.map(([name, one]) => `${inner}${name === null ? '' : `${JSON.stringify(name)}: `}${writeJson(one, inner)}`);
  return `${list ? '[' : '{'}\n${lines.join(',\n')}\n${indent}${list ? ']' : '}'}`;
}

const oneLine = (value) => {
  const parts = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${writeJson(one, '  ')}`);
  return parts.length ? `{${parts.join(', ')}}` : '{}';
};

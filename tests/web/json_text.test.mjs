import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, readJson, writeJson } from '../../web/lib/json_text.js';

test('what is written is read again, whatever it is', () => {
  const values = [{}, { a: [] }, { kind: 'ae', params: { lr: 1e-5, channels: [8, 16], on: true, none: null, deep: { x: [{ y: 'a"b\\n\u00e9' }] } } },
    { long: Array.from({ length: 40 }, (_, i) => i), '__proto__x': 1, 'a/b': { '~': 2 } }];
  for (const value of values) {
    assert.deepEqual(readJson(writeJson(value)).value, value);
    assert.deepEqual(readJson(JSON.stringify(value)).value, JSON.parse(JSON.stringify(value)));
  }
  assert.equal(writeJson({ kind: 'ae', params: { channels: [4, 8] } }), '{\n  "kind": "ae",\n  "params": {"channels": [4, 8]}\n}');
});

test('what is wrong has a line, a column and a word that helps', () => {
  const cases = [
    ['{"a": 1,}', 1, 9, /comma too many/], ['{\n  "a": tru\n}', 2, 8, /is no value/], ['{"a": 1\n "b": 2}', 2, 2, /, or }/],
    ['{"a": "x', 1, 7, /closing/], ['{"a": 1} x', 1, 10, /nothing may follow/], ['{"a": 1, "a": 2}', 1, 10, /twice/], ['', 1, 1, /missing/],
    ['{a: 1}', 1, 2, /name in/], ['{"a": 01}', 1, 7, /no value/], ['[1, 2', 1, 6, /ends too early/], ['{"a": }', 1, 7, /missing/],
  ];
  for (const [text, line, column, words] of cases) {
    assert.throws(() => readJson(text), (error) => {
      assert.deepEqual([error.line, error.column], [line, column], text);
      assert.match(error.message, words, text);
      return true;
    });
  }
});

test('a pointer leads to its line, or to that of what is around it', () => {
  const text = '{\n  "kind": "ae",\n  "params": {\n    "channels": [4,\n      8],\n    "a/b": 1\n  }\n}';
  const { places } = readJson(text);
  const line = (pointer) => placeOf(text, places, pointer).line;
  assert.deepEqual(['#/kind', '#/params/channels', '#/params/channels/1', '#/params/a~1b', '#/params/lr', '#/dataset', '#', null].map(line), [2, 4, 5, 6, 3, 1, 1, 1]);
});

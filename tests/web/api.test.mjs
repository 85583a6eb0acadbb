// api.js: event streams cut anywhere, and curl lines that a shell reads back as they were meant.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

globalThis.document = { baseURI: 'http://127.0.0.1:7117/prefix/' };
const stored = new Map();
globalThis.sessionStorage = { getItem: (k) => stored.get(k) ?? null, setItem: (k, v) => stored.set(k, v) };
const { curl, parseEvents, setToken } = await import('../../web/api.js');

const STREAM = 'id: 1\nevent: status\ndata: {"a":1}\n\n: ping\n\nid: 2\r\nevent: metrics\r\ndata: {"b":\r\ndata: 2}\r\n\r\nid: 3\nevent: end\ndata: {}\n\n';

test('a stream cut at any byte gives the same events', () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const seen = [];
    const rest = parseEvents(STREAM.slice(0, cut), (e) => seen.push(e));
    assert.equal(parseEvents(rest + STREAM.slice(cut), (e) => seen.push(e)), '', `cut at ${cut}`);
    assert.deepEqual(seen.map((e) => [e.id, e.event, JSON.parse(e.data)]),
      [['1', 'status', { a: 1 }], ['2', 'metrics', { b: 2 }], ['3', 'end', {}]], `cut at ${cut}`);
  }
});

function argumentsOf(line) {
  const script = 'curl() { for a in "$@"; do printf "%s\\n" "$a"; done; }\n';
  return execFileSync('sh', ['-c', script + line], { env: { LATENTD_TOKEN: 'secret' } }).toString().trimEnd().split('\n');
}

test('a curl line says the same to a shell', () => {
  const body = { kind: 'ae', name: `it's $HOME "\`x\`"` };
  const [flag, data, target] = argumentsOf(curl('v1/jobs', body));
  assert.equal(flag, '--json');
  assert.deepEqual(JSON.parse(data), body);
  assert.equal(target, 'http://127.0.0.1:7117/prefix/v1/jobs');
  assert.deepEqual(argumentsOf(curl('v1/jobs?a=1&b=2')), ['http://127.0.0.1:7117/prefix/v1/jobs?a=1&b=2']);
});

test('with a token the line names the variable, never the token', () => {
  setToken('secret');
  const line = curl('v1/jobs');
  assert.ok(!line.includes('secret'));
  assert.deepEqual(argumentsOf(line).slice(0, 2), ['-H', 'Authorization: Bearer secret']);
});

// lib/api.js and lib/stream.js: event streams cut anywhere, daemons that fall silent, and curl lines that a shell reads back as they were meant.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mock, test } from 'node:test';

globalThis.document = Object.assign(new EventTarget(), { baseURI: 'http://127.0.0.1:7117/prefix/', visibilityState: 'visible' });
globalThis.addEventListener = () => {};
const stored = new Map();
globalThis.sessionStorage = { getItem: (k) => stored.get(k) ?? null, setItem: (k, v) => stored.set(k, v) };
const { curl, get, onConnection, scope, setToken } = await import('../../web/lib/api.js');
const { parseEvents } = await import('../../web/lib/stream.js');
const { followJob } = await import('../../web/lib/hub.js');

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

// --- a daemon that is there and says nothing ---------------------------------------------------------------------------

const settle = async () => { for (let i = 0; i < 50; i++) await Promise.resolve(); await new Promise(setImmediate); };

/** A fetch that answers with `reply(path)`, or never. Both fail when they are aborted, as real ones do. */
function pretend(reply) {
  const asked = [];
  globalThis.fetch = (target, { signal }) => {
    asked.push(new URL(target).pathname + new URL(target).search);
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      const answer = reply(asked.at(-1), signal);
      if (answer) resolve(answer);
    });
  };
  return asked;
}

/** A stream that says `text` and then nothing. */
function silent(text, signal) {
  return new Response(new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      signal.addEventListener('abort', () => controller.error(signal.reason));
    },
  }));
}

test('a stream that is silent for longer than pings take is begun anew after its last event', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const said = [];
  onConnection((connected) => said.push(connected));
  const asked = pretend((path, signal) => silent(path.endsWith('after=6') ? 'id: 7\nevent: status\ndata: {"job":"x","seq":7}\n\n' : ': ping\n\n', signal));
  const view = new AbortController();
  let opened = 0;
  await followJob('x', { after: 6, signal: view.signal, onEvent: () => {}, onOpen: () => { opened += 1; } });
  for (let i = 0; i < 3; i++) { // what is scheduled in a tick comes in the next one
    mock.timers.tick(50);
    await settle();
  }
  mock.timers.tick(30000);
  await settle();
  assert.deepEqual([asked.length, opened, said], [1, 1, []]);
  mock.timers.tick(11000);
  await settle();
  assert.deepEqual(said, [false]);
  mock.timers.tick(1000);
  await settle();
  assert.deepEqual(asked, ['/prefix/v1/events?jobs=x&after=6', '/prefix/v1/events?jobs=x&after=7']);
  assert.deepEqual([said, opened], [[false, true], 2]);
  view.abort();
  setToken('another');
  mock.timers.reset();
});

test('what a follower missed it reads from the list, and what comes twice it is told once', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const event = (seq) => ({ event: 'log', seq, job: 'x', at_ms: seq });
  const frame = (seq) => `id: ${seq}\nevent: log\ndata: ${JSON.stringify({ ...event(seq), event: undefined })}\n\n`;
  const asked = pretend((path, signal) => (path.includes('/v1/jobs/x/events?after=5') ? Response.json({ data: [6, 7, 8].map(event) })
    : silent([4, 5, 5, 8, 7].map(frame).join(''), signal)));
  const view = new AbortController();
  const told = [];
  await followJob('x', { after: 3, signal: view.signal, onEvent: (type, data) => told.push([type, data.seq]), onOpen: () => {} });
  for (let i = 0; i < 3; i++) {
    mock.timers.tick(50);
    await settle();
  }
  assert.deepEqual(told, [4, 5, 6, 7, 8].map((seq) => ['log', seq]));
  assert.deepEqual(asked, ['/prefix/v1/events?jobs=x&after=3', '/prefix/v1/jobs/x/events?after=5&limit=1000']);
  view.abort();
  setToken('secret');
  mock.timers.reset();
});

test('tabs of one token share a name that does not tell it, those of another have another', async () => {
  setToken('secret');
  const name = await scope();
  assert.match(name, /^[0-9a-f]{64}$/);
  assert.equal(await scope(), name);
  setToken('other');
  assert.notEqual(await scope(), name);
  setToken('secret');
});

test('a question without an answer is given up, and the next answer is news', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const said = [];
  onConnection((connected) => said.push(connected));
  pretend(() => null);
  const question = assert.rejects(get('v1/info'), (problem) => problem.away && problem.status === 0);
  await settle();
  mock.timers.tick(20000);
  await question;
  pretend(() => Response.json({ version: '1' }));
  assert.deepEqual(await get('v1/info'), { version: '1' });
  assert.deepEqual(said, [false, true]);
  pretend(() => Response.json({ title: 'stopping' }, { status: 503 }));
  await assert.rejects(get('v1/info'), (problem) => problem.away);
  assert.deepEqual(said, [false, true, false]);
  mock.timers.reset();
});

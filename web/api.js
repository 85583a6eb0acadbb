// api.js: everything the page says to its daemon. The only file that fetches.
//
// URLs are relative to the page, so that a path prefix needs no word here. The token comes from #token=… or the dialog in
// app.js, lives in sessionStorage and goes out as a bearer; hence pictures and downloads are fetched here, too.

const TOKEN = 'latentd-token';

/** An answer that says what was wrong: problem+json, or a lost connection (status 0). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.errors = body.errors ?? [];
  }
}

/** Takes the token out of `#token=…` before anyone can see, bookmark or copy it. */
export function adoptToken() {
  const match = /^#token=([^&]+)/.exec(location.hash);
  if (!match) return;
  setToken(decodeURIComponent(match[1]));
  history.replaceState(null, '', `${location.pathname}${location.search}#/`);
}

export const setToken = (token) => sessionStorage.setItem(TOKEN, token);
export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

let tokenWanted = () => {};
export function onTokenWanted(fn) {
  tokenWanted = fn;
}

export const url = (path) => new URL(path, document.baseURI).href;

function headers(more) {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? more : { ...more, Authorization: `Bearer ${token}` };
}

async function ask(path, { method = 'GET', accept = 'application/json', body, signal } = {}) {
  const json = body === undefined ? {} : { 'Content-Type': 'application/json' };
  let reply;
  try {
    reply = await fetch(url(path), {
      method, signal, body: body === undefined ? undefined : JSON.stringify(body), headers: headers({ Accept: accept, ...json }),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { title: 'The daemon does not answer.' });
  }
  if (reply.ok) return reply;
  if (reply.status === 401) tokenWanted();
  throw new Problem(reply.status, await reply.json().catch(() => ({ title: reply.statusText })));
}

export const get = async (path, signal) => (await ask(path, { signal })).json();
export const post = async (path, body, signal) => (await ask(path, { method: 'POST', body, signal })).json();

/** A picture and what its headers say about the model that made it. */
export async function picture(path, { body, signal } = {}) {
  const reply = await ask(path, { method: body === undefined ? 'GET' : 'POST', accept: 'image/png', body, signal });
  return { blob: await reply.blob(), epoch: reply.headers.get('Latentd-Epoch') };
}

/** For links when a token is needed: a plain link cannot carry one. */
export async function download(path, filename) {
  const reply = await ask(path, { accept: '*/*' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await reply.blob());
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request for a terminal. */
export function curl(path, body) {
  const bearer = hasToken() ? ' -H "Authorization: Bearer $LATENTD_TOKEN"' : '';
  const data = body === undefined ? '' : ` --json ${quoted(JSON.stringify(body))}`;
  const target = url(path);
  return `curl${bearer}${data} ${/^[\w:/.@-]+$/.test(target) ? target : quoted(target)}`;
}

// --- event streams -----------------------------------------------------------------------------------------------------

/** Lines of a text/event-stream → one call per event, {id, event, data}. Returns what is left of an unfinished event. */
export function parseEvents(text, onEvent) {
  const frames = text.split(/\r?\n\r?\n/);
  const rest = frames.pop();
  for (const frame of frames) {
    const fields = {};
    for (const line of frame.split(/\r?\n/)) {
      const match = /^(id|event|data): ?(.*)$/.exec(line);
      if (match) fields[match[1]] = match[1] in fields ? `${fields[match[1]]}\n${match[2]}` : match[2];
    }
    if (fields.data !== undefined) onEvent(fields);
  }
  return rest;
}

async function readStream(path, after, signal, onEvent) {
  const reply = await ask(`${path}?after=${after}`, { accept: 'text/event-stream', signal });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest = parseEvents(rest + value, onEvent);
  }
}

const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

const visible = (signal) => document.visibilityState === 'visible' ? Promise.resolve() : new Promise((resolve) => {
  document.addEventListener('visibilitychange', resolve, { once: true, signal });
  signal.addEventListener('abort', resolve, { once: true });
});

/** Follows a job's events from `after` to its end, over lost connections; a hidden page lets its connection go (a browser
 * has six per server) and goes on from the last event when it is seen again. onState: 'live' | 'waiting' | 'ended'. */
export async function follow(path, { after = 0, signal, onEvent, onState }) {
  let wait = 500;
  let ended = false;
  while (!signal.aborted && !ended) {
    await visible(signal);
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    const hide = () => document.visibilityState === 'hidden' && stop();
    signal.addEventListener('abort', stop);
    document.addEventListener('visibilitychange', hide);
    onState('live');
    try {
      await readStream(path, after, attempt.signal, (frame) => {
        wait = 500;
        after = Number(frame.id ?? after);
        ended ||= frame.event === 'end';
        onEvent(frame.event, JSON.parse(frame.data));
      });
    } catch (error) {
      if (error.status === 404 || error.status === 401) ended = true;
    } finally {
      signal.removeEventListener('abort', stop);
      document.removeEventListener('visibilitychange', hide);
    }
    if (signal.aborted || ended) break;
    if (document.visibilityState === 'hidden') continue;
    onState('waiting');
    await pause(wait, signal);
    wait = Math.min(8000, wait * 2);
  }
  if (!signal.aborted) onState('ended');
}

// lib/api.js: everything the page asks its daemon. Only this and lib/stream.js fetch.
//
// get() and query() change nothing; post(), patch(), remove() and upload() do, and are refused where ?read_only=1 says so.
//
// URLs are relative to the page, so that a path prefix needs no word here. The token comes from #token=… or the dialog in
// app.js, lives in sessionStorage and goes out as a bearer; hence pictures and downloads are fetched here, too.

import { readOnly } from './access.js';
import { save } from './dom.js';

const TOKEN = 'latentd-token';
const ANSWER_MS = 15000; // a daemon that is there has answered long before

/** An answer that says what was wrong: problem+json, or a lost connection (status 0). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.errors = body.errors ?? [];
    this.missing = body.missing ?? []; // jobs, of a question about several
  }

  /** Not the request's fault: the daemon, or the proxy before it, may answer soon. */
  get away() {
    return [0, 502, 503, 504].includes(this.status);
  }
}

/** The text of a piece of the address; one that is badly escaped stands for itself. */
export function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Takes the token out of `#token=…` before anyone can see, bookmark or copy it. True: there was one. */
export function adoptToken() {
  const match = /^#token=([^&]+)/.exec(location.hash);
  if (!match) return false;
  setToken(unescaped(match[1]));
  history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  return true;
}

const changes = new EventTarget(); // 'token', 'connection'

const getToken = () => sessionStorage.getItem(TOKEN);
export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
  changes.dispatchEvent(new Event('token'));
}
export const onTokenChange = (fn, signal) => changes.addEventListener('token', fn, { signal });
export const hasToken = () => getToken() !== null;

let tokenWanted = () => {};
/** fn(refused): the daemon wants a token; `refused` when the one it got is wrong. */
export function onTokenWanted(fn) {
  tokenWanted = fn;
}

/** A name for what tabs of one page and one token may share; it does not tell the token. */
export async function scope() {
  const text = `${getToken() ?? ''}\n${new URL('.', document.baseURI).href}`;
  const digest = await globalThis.crypto?.subtle?.digest('SHA-256', new TextEncoder().encode(text));
  return digest ? [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('') : text; // then nothing is shared
}

let connected = true;
/** fn(connected): the daemon has stopped or started to answer. */
export const onConnection = (fn) => changes.addEventListener('connection', () => fn(connected));

/** What was found here, or by another tab. */
export function setConnected(now) {
  if (now === connected) return;
  connected = now;
  changes.dispatchEvent(new Event('connection'));
}

/** Until the daemon answers again; at most for `ms`. */
export function backAgain(ms, signal) {
  const waited = new AbortController();
  changes.addEventListener('connection', () => connected && waited.abort(), { signal: waited.signal });
  return pause(ms, AbortSignal.any([signal, waited.signal])).then(() => waited.abort());
}

export const url = (path) => new URL(path, document.baseURI).href;

/** A signal that follows `signal`, if there is one, and also fires after `ms` in which heard() was not called. */
export function listening(ms, signal) {
  const silence = new AbortController();
  let timer = 0;
  const done = () => clearTimeout(timer);
  const heard = () => {
    done();
    timer = setTimeout(() => silence.abort(new DOMException('nothing was heard', 'TimeoutError')), ms);
  };
  heard();
  return { signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal, heard, done };
}

/** What a failed fetch or read is to the page: an abort was its own wish, all else means that the connection is lost. */
export function lost(error) {
  if (error.name === 'AbortError') return error;
  setConnected(false);
  return new Problem(0, { title: 'The daemon does not answer.' });
}

/** The problem that a reply is. A 401 to a token that has been replaced meanwhile is old news to the dialog. */
async function refusal(reply, token) {
  if (reply.status !== 401) return new Problem(reply.status, await reply.json().catch(() => ({ title: reply.statusText })));
  if (token === getToken()) tokenWanted(token !== null);
  return new Problem(401, { title: 'This daemon asks for its token.' });
}

/** A reply whose headers have come. A body of another `type` than JSON goes out as it is. */
export async function ask(path, { method = 'GET', accept = 'application/json', body, type, signal, keepalive } = {}) {
  const token = getToken();
  const headers = { Accept: accept };
  if (body !== undefined) headers['Content-Type'] = type ?? 'application/json';
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  const reply = await fetch(url(path), { method, signal, headers, keepalive, body: body === undefined || type ? body : JSON.stringify(body) })
    .catch((error) => { throw lost(error); });
  const problem = reply.ok ? null : await refusal(reply, token);
  setConnected(!problem?.away);
  if (problem) throw problem;
  return reply;
}

/** A reply and all of its body, soon or not at all. */
async function whole(path, { signal, patience = ANSWER_MS, ...options }, read) {
  const answer = listening(patience, signal);
  try {
    const reply = await ask(path, { ...options, signal: answer.signal });
    return await read(reply).catch((error) => { throw lost(error); });
  } finally {
    answer.done();
  }
}

const json = (reply) => reply.json();
export const get = (path, signal) => whole(path, { signal }, json);
/** A question that needs a body: codes to decode, parameters to validate. patience: ms, where the answer takes its time. */
export const query = (path, body, signal, type, patience) => whole(path, { method: 'POST', body, type, signal, patience }, json);

const changedAt = new Map(); // path → when this page last asked for that change

/** Whether this page has asked for that change in the last `ms`: what follows from it is no news. */
export const changedHere = (path, ms) => performance.now() - (changedAt.get(path) ?? -Infinity) < ms;

async function change(path, options, read) {
  if (readOnly) throw new Problem(403, { title: 'This page is read only.' });
  changedAt.set(path, performance.now());
  return whole(path, options, read);
}
export const post = (path, body, signal) => change(path, { method: 'POST', body, signal }, json);
export const patch = (path, body, signal) => change(path, { method: 'PATCH', body, signal }, json);
/** `keepalive`: even if the page goes away now. */
export const remove = (path, signal, keepalive) => change(path, { method: 'DELETE', signal, keepalive }, async () => null);

/** A file to `path`, by PUT; onProgress(share) while it is sent, which fetch cannot tell. */
export async function upload(path, file, { type, onProgress, signal }) {
  if (readOnly) throw new Problem(403, { title: 'This page is read only.' });
  const token = getToken();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const answered = async () => {
      const reply = new Response(request.responseText, { status: request.status });
      if (reply.ok) return resolve(reply.json());
      const problem = await refusal(reply, token);
      setConnected(!problem.away);
      reject(problem);
    };
    request.open('PUT', url(path));
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', type);
    if (token !== null) request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 1);
    request.upload.onload = () => onProgress(1);
    request.onload = answered;
    request.onerror = () => reject(lost(new TypeError('the connection was lost')));
    request.onabort = () => reject(new DOMException('left', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

/** Which weights an answer is of. */
const weightsOf = ({ headers }) => ({ epoch: headers.get('Latentd-Epoch'), step: headers.get('Latentd-Step') });

/** A picture and what its headers say about the model that made it. */
export function picture(path, { body, signal } = {}) {
  return whole(path, { method: body === undefined ? 'GET' : 'POST', accept: 'image/png', body, signal },
    async (reply) => ({ blob: await reply.blob(), ...weightsOf(reply) }));
}

/** The bytes of an answer in another form than JSON: {buffer, epoch, step}. */
export function bytesOf(path, accept, { body, signal } = {}) {
  return whole(path, { method: body === undefined ? 'GET' : 'POST', accept, body, signal },
    async (reply) => ({ buffer: await reply.arrayBuffer(), ...weightsOf(reply) }));
}

/** For links when a token is needed: a plain link cannot carry one. */
export async function download(path, filename) {
  const reply = await ask(path, { accept: '*/*' });
  save(await reply.blob(), filename);
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

/** Until the page is seen. */
export const visible = (signal) => document.visibilityState === 'visible' ? Promise.resolve() : new Promise((resolve) => {
  document.addEventListener('visibilitychange', resolve, { once: true, signal });
  signal.addEventListener('abort', resolve, { once: true });
});

/** The same request for a terminal; what comes before the address has a line of its own. `method`: where it is not what curl
 * takes by itself, GET without a body and POST with one. */
export function curl(path, body, method) {
  const bearer = hasToken() ? ' -H "Authorization: Bearer $LATENTD_TOKEN"' : '';
  const data = body === undefined ? '' : ` --json ${quoted(JSON.stringify(body))}`;
  const verb = method && method !== (body === undefined ? 'GET' : 'POST') ? ` -X ${method}` : '';
  const target = url(path);
  return `curl${verb}${bearer}${data}${bearer || data ? ' \\\n  ' : ' '}${/^[\w:/.@-]+$/.test(target) ? target : quoted(target)}`;
}

// lib/stream.js: what happens to jobs, as it happens: server-sent events, read with fetch because EventSource brings no token.

import { ask, listening, lost, pause, visible } from './api.js';

const SILENCE_MS = 40000; // a stream without events is pinged every 15 s

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

async function readStream(path, signal, { onOpen, onEvent }) {
  const pings = listening(SILENCE_MS, signal);
  try {
    const reply = await ask(path, { accept: 'text/event-stream', signal: pings.signal });
    onOpen();
    if (!reply.body) return; // 204: it has ended, and all of it is known
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read().catch((error) => { throw lost(error); });
      if (done) return;
      pings.heard();
      rest = parseEvents(rest + value, onEvent);
    }
  } finally {
    pings.done();
  }
}

/** Follows a job's events from `after` to its end, over lost connections; a hidden page lets its connection go (a browser
 * has six per server) and goes on from the last event when it is seen again. onOpen: each time the stream is there. */
export async function follow(path, { after = 0, signal, onEvent, onOpen }) {
  let wait = 500;
  let ended = false;
  const take = (frame) => {
    wait = 500;
    after = Number(frame.id ?? after);
    ended ||= frame.event === 'end';
    onEvent(frame.event, JSON.parse(frame.data));
  };
  while (!signal.aborted && !ended) {
    await visible(signal);
    const attempt = new AbortController();
    const hide = () => document.visibilityState === 'hidden' && attempt.abort();
    document.addEventListener('visibilitychange', hide);
    try {
      await readStream(`${path}?after=${after}`, AbortSignal.any([signal, attempt.signal]), { onOpen, onEvent: take });
    } catch (error) {
      if (error.status === 404 || error.status === 401) ended = true;
    } finally {
      document.removeEventListener('visibilitychange', hide);
    }
    if (signal.aborted || ended) return;
    if (document.visibilityState === 'hidden') continue;
    await pause(wait, signal);
    wait = Math.min(8000, wait * 2);
  }
}

// lib/stream.js: one stream of server-sent events, read with fetch because EventSource brings no token.

import { ask, listening, lost } from './api.js';

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

/** Reads until the stream breaks off (a Problem) or closes: false if there was nothing left to stream. onEvents: what came at once,
 * [{event, …its data}]. */
export async function readStream(path, signal, { onOpen, onEvents }) {
  const pings = listening(SILENCE_MS, signal);
  try {
    const reply = await ask(path, { accept: 'text/event-stream', signal: pings.signal });
    onOpen();
    if (!reply.body) return false; // 204: it has ended, and all of it is known
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read().catch((error) => { throw lost(error); });
      if (done) return true;
      pings.heard();
      const events = [];
      rest = parseEvents(rest + value, ({ event, data }) => events.push({ event, ...JSON.parse(data) }));
      if (events.length) onEvents(events);
    }
  } finally {
    pings.done();
  }
}

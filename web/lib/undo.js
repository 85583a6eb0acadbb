// lib/undo.js: what is done for good only after a moment in which it can be taken back.

import { complain, h } from './dom.js';
import { notice } from './notice.js';

const MOMENT_MS = 6000;
const waiting = new Set(); // newest last

/** Says `text` with a button to undo. commit({keepalive}) does it after a moment, or when the page is left; undo() if it was taken back,
 * or could not be done. */
export function later(text, { commit, undo }) {
  const act = async (keepalive) => {
    if (!waiting.delete(entry)) return;
    box.close(true);
    try {
      await commit({ keepalive });
    } catch (problem) {
      undo();
      complain(problem);
    }
  };
  const takeBack = () => {
    if (!waiting.delete(entry)) return;
    box.close(true);
    undo();
  };
  const entry = { act, takeBack };
  waiting.add(entry);
  const box = notice([`${text} `, h('button', { type: 'button', class: 'small', onclick: takeBack }, 'Undo')],
    { ms: MOMENT_MS, onclose: (answered) => answered || act(false) });
}

/** Takes back what was done last, if its moment has not passed. */
export function undoLast() {
  const entry = [...waiting].pop();
  entry?.takeBack();
  return Boolean(entry);
}

globalThis.addEventListener?.('pagehide', () => { for (const entry of [...waiting]) entry.act(true); });

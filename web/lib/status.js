// lib/status.js: the pill and the bar that say how a job is doing, in the table and on its page.

import { h, setText } from './dom.js';
import { endedBy } from './format.js';

const GLYPHS = { queued: '◷', running: '▶', pausing: '◌', paused: '‖', cancelling: '◌', succeeded: '✓', failed: '✕', cancelled: '–' };

export function statusPill() {
  const glyph = h('span', { 'aria-hidden': 'true' });
  const word = h('span');
  const node = h('span', { class: 'pill' }, glyph, word);
  return {
    node,
    set(job) {
      setText(glyph, GLYPHS[job.status] ?? '');
      setText(word, job.status);
      node.dataset.status = job.status;
      node.title = job.error?.detail ?? (endedBy(job) ? `ended by ${endedBy(job)}` : job.status);
    },
  };
}

export function progressBar(label) {
  const node = h('progress', { max: '1', value: '0', 'aria-label': label });
  return {
    node,
    set(share) {
      if (node.value !== (share ?? 0)) node.value = share ?? 0;
    },
  };
}

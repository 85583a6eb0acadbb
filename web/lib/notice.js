// lib/notice.js: a message in the corner that one can answer: with links and buttons in it, held while it is looked at.

import { h } from './dom.js';

/** content: nodes and texts. It goes after `ms`, not while the mouse or the focus is in it; `onclose(answered)` once.
 * close(answered) puts it away. */
export function notice(content, { kind = 'info', ms = 6000, onclose = () => {} } = {}) {
  let timer = 0;
  let closed = false;
  const close = (answered = false) => {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    node.remove();
    onclose(answered);
  };
  const hold = () => clearTimeout(timer);
  const wait = () => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(close, ms);
  };
  const node = h('div', { class: `toast notice ${kind}`, onmouseenter: hold, onmouseleave: wait, onfocusin: hold, onfocusout: wait },
    h('span', {}, content),
    h('button', { type: 'button', class: 'icon', 'aria-label': 'Put this message away', onclick: () => close() }, '×'));
  document.getElementById('toasts').append(node);
  wait();
  return { node, close };
}

// lib/action.js: a button that sends a request, and the same request for a terminal beside it.

import { curl } from './api.js';
import { copy, h } from './dom.js';

/** `text` of the button; `request()` → {path, method, body}, or a list of them, asked when it is needed; `onclick(event)` sends it.
 * {node, button}. */
export function action({ text, request, onclick, cls = '' }) {
  const button = h('button', { type: 'button', class: cls, onclick }, text);
  const copyLine = () => copy([request()].flat().map(({ path, body, method }) => curl(path, body, method)).join('\n'));
  const line = h('button', { type: 'button', class: 'as-curl', title: 'Copy as curl', 'aria-label': `Copy as curl: ${text}`,
    onclick: copyLine }, '$_');
  return { node: h('span', { class: 'action control' }, button, line), button };
}

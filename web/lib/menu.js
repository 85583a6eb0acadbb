// lib/menu.js: a button that opens a small list of things to do.

import { h } from './dom.js';

/** items: elements; a press on a button among them closes it, as do Escape and whatever is pressed elsewhere. */
export function menu(text, label, ...items) {
  const summary = h('summary', { class: 'button small', 'aria-label': label }, text);
  const node = h('details', { class: 'menu' }, summary, h('div', { class: 'menu-items' }, items.flat(2)));
  const shut = () => { node.open = false; };
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !node.open) return;
    event.stopPropagation();
    shut();
    summary.focus();
  });
  node.addEventListener('focusout', (event) => event.relatedTarget && !node.contains(event.relatedTarget) && shut());
  node.addEventListener('click', (event) => event.target.closest('.menu-items button') && shut());
  const elsewhere = (event) => !node.contains(event.target) && shut();
  node.addEventListener('toggle', () => {
    if (node.open) document.addEventListener('pointerdown', elsewhere);
    else document.removeEventListener('pointerdown', elsewhere);
  });
  return node;
}

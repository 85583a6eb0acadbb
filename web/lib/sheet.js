// lib/sheet.js: a view's sheet, fetched with the view: the first paint waits for no more than it needs.

import { h } from './dom.js';

function link(name) {
  const href = `style/${name}.css`;
  const there = [...document.querySelectorAll('link[rel="stylesheet"]')].some((node) => node.getAttribute('href') === href);
  if (there) return null;
  return new Promise((resolve, reject) => {
    const node = h('link', { rel: 'stylesheet', href, onload: resolve });
    node.addEventListener('error', () => {
      node.remove();
      reject(new Error('the page could not be fetched whole'));
    });
    document.head.append(node);
  });
}

/** The module of a view, once its sheet is there, too. */
export async function styled(name, module) {
  const [view] = await Promise.all([module, link(name)]);
  return view;
}

// lib/sheet.js: the style sheets of a view. They are fetched with it and put away with it, so that a class of one view is no
// business of another's; what all views share is in style/base.css.

import { Problem } from './api.js';
import { h } from './dom.js';

const links = new Map(); // by name

function fetchSheet(name) {
  const link = h('link', { rel: 'stylesheet', href: new URL(`../style/${name}.css`, import.meta.url).href });
  links.set(name, link);
  return new Promise((resolve, reject) => {
    link.addEventListener('load', resolve, { once: true });
    link.addEventListener('error', () => {
      links.delete(name);
      link.remove();
      reject(new Problem(0, { title: 'The daemon does not answer.' }));
    }, { once: true });
    document.head.append(link);
  });
}

/** Only these from now on. Rejects where one cannot be fetched. */
export async function wear(names) {
  for (const [name, link] of links) link.disabled = !names.includes(name);
  await Promise.all(names.filter((name) => !links.has(name)).map(fetchSheet));
}

// lib/sheet.js: the style sheets of a view. They are fetched with it and put away with it, so that a class of one view is no
// business of another's; what all views share is in style/base.css.

import { Problem } from './api.js';
import { h } from './dom.js';

const sheets = new Map(); // by name: {link, loaded}

function fetchSheet(name) {
  const link = h('link', { rel: 'stylesheet', href: new URL(`../style/${name}.css`, import.meta.url).href });
  const loaded = new Promise((resolve, reject) => {
    link.addEventListener('load', resolve, { once: true });
    link.addEventListener('error', () => {
      sheets.delete(name);
      link.remove();
      reject(new Problem(0, { title: 'The daemon does not answer.' }));
    }, { once: true });
  });
  document.head.append(link);
  sheets.set(name, { link, loaded });
  return loaded;
}

/** Only these from now on. Rejects where one cannot be fetched. */
export async function wear(names) {
  await Promise.all(names.map((name) => sheets.get(name)?.loaded ?? fetchSheet(name)));
  for (const [name, { link }] of sheets) if (link.disabled === names.includes(name)) link.disabled = !link.disabled;
}

// lib/missing.js: what to do about a data set that is not there, in the daemon's own words.

import { get } from './api.js';
import { h, show } from './dom.js';
import { bytes } from './format.js';

function remedy(set) {
  const rows = (set.files ?? []).map((file) => h('tr', {}, h('td', {}, h('code', {}, file.name)),
    h('td', { class: 'num' }, file.bytes ? bytes(file.bytes) : ''), h('td', {}, h('code', { class: 'hash' }, file.sha256 ?? ''))));
  return [
    h('h2', {}, `The data set ${set.name} is not here`),
    h('p', { class: 'detail' }, set.detail ?? ''),
    rows.length > 0 && h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Files needed' },
      h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'File'), h('th', { scope: 'col', class: 'num' }, 'Size'),
        h('th', { scope: 'col' }, 'sha256'))),
        h('tbody', {}, rows))),
    set.directories && h('p', {}, 'Looked in: ', set.directories.join(', ')),
  ].filter(Boolean);
}

/** refresh() → whether there is nothing to train on. */
export function missingDataset() {
  const node = h('section', { class: 'card warn', hidden: true, role: 'alert' });
  return {
    node,
    async refresh(signal) {
      const list = await get('v1/datasets', signal);
      const missing = list.missing ?? [];
      node.replaceChildren(...missing.flatMap(remedy));
      show(node, missing.length > 0);
      return list.data.length === 0;
    },
  };
}

// lib/access.js: whether this page may change anything. `?read_only=1` makes a page for those who only look on: a class, a wall.
//
// The sheet hides every element of class `control`, and lib/api.js sends nothing that would change the daemon. It is a courtesy
// of the page, not a lock: who has the address without it has the controls.

const { location, document } = globalThis;
export const readOnly = ['', '1', 'true'].includes(new URLSearchParams(location?.search).get('read_only'));
if (readOnly) document.documentElement.dataset.readOnly = '';

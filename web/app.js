// app.js: which view the address means, the keys that work everywhere, the theme, the token dialog.

import { adoptToken, get, onTokenWanted, setToken } from './api.js';
import { h, setText } from './dom.js';
import { newView } from './view_new.js';
import { runView } from './view_run.js';
import { moveInRuns, runsView } from './view_runs.js';

const views = [
  { pattern: /^#?\/?$/, view: runsView, nav: 'Runs', href: '#/' },
  { pattern: /^#\/new$/, view: newView, nav: 'New run', href: '#/new' },
  { pattern: /^#\/runs\/([^/]+)$/, view: runView },
];

const main = document.getElementById('main');
let shown = new AbortController();

function notFound(root, { title }) {
  title('Not found');
  root.append(h('section', { class: 'card' }, h('h1', {}, 'There is no such page'), h('a', { class: 'button', href: '#/' }, 'All runs')));
}

/** A view gets an empty root, its id, a signal that aborts when it is left, and a way to set the title. */
function route() {
  shown.abort();
  shown = new AbortController();
  const row = views.find(({ pattern }) => pattern.test(location.hash)) ?? { view: notFound };
  const id = decodeURIComponent(row.pattern?.exec(location.hash)[1] ?? '');
  for (const link of document.querySelectorAll('#nav a')) {
    if (link.getAttribute('href') === row.href) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const root = h('div', { class: 'view' });
  main.replaceChildren(root);
  const { signal } = shown;
  row.view(root, { id, signal, title: (text) => { if (!signal.aborted) document.title = `${text} · latentd`; } });
}

// --- theme -------------------------------------------------------------------------------------------------------------

const dark = matchMedia('(prefers-color-scheme: dark)');
const currentTheme = () => document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light');

function themeChanged() {
  const button = document.getElementById('theme');
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  setText(button, next === 'dark' ? '☾' : '☀');
  button.setAttribute('aria-label', `Switch to the ${next} theme`);
  document.dispatchEvent(new Event('themechange'));
}

function toggleTheme() {
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem('theme', next);
  } catch {
    // Storage may be forbidden; the choice lasts as long as the page.
  }
  themeChanged();
}

// --- keys --------------------------------------------------------------------------------------------------------------

const keys = {
  n: () => { location.hash = '#/new'; },
  g: () => { location.hash = '#/'; },
  t: toggleTheme,
  j: () => moveInRuns(1),
  k: () => moveInRuns(-1),
  ArrowDown: () => moveInRuns(1),
  ArrowUp: () => moveInRuns(-1),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest('input, select, textarea, [contenteditable], dialog, .scroll')) return;
  const action = keys[event.key];
  if (action && action() !== false) event.preventDefault();
}

// --- token -------------------------------------------------------------------------------------------------------------

function askToken() {
  if (document.querySelector('dialog')) return;
  const input = h('input', { type: 'password', autocomplete: 'off', id: 'token', required: true });
  const dialog = h('dialog', { 'aria-labelledby': 'token-title' }, h('form', { method: 'dialog' },
    h('h2', { id: 'token-title' }, 'This daemon asks for its token'),
    h('p', {}, 'It is in the file that --token-file names.'),
    h('label', { for: 'token' }, 'Token'), input, h('button', { class: 'primary' }, 'Continue')));
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (!input.value) return;
    setToken(input.value);
    start();
  });
  document.body.append(dialog);
  dialog.showModal();
}

// --- start -------------------------------------------------------------------------------------------------------------

async function sayServer() {
  const info = await get('v1/info');
  setText(document.getElementById('server'), [info.version && `v${info.version}`, info.threads && `${info.threads} threads`]
    .filter(Boolean).join(' · '));
}

function start() {
  sayServer().catch(() => {});
  route();
}

adoptToken();
onTokenWanted(askToken);
document.getElementById('nav').append(...views.filter((row) => row.nav).map((row) => h('a', { href: row.href }, row.nav)));
document.getElementById('theme').addEventListener('click', toggleTheme);
// The address is the router's; the skip link must not change it.
document.getElementById('skip').addEventListener('click', (event) => { event.preventDefault(); main.focus(); });
document.addEventListener('keydown', onKey);
dark.addEventListener('change', themeChanged);
addEventListener('hashchange', route);
themeChanged();
start();

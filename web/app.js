// app.js: which view the address means, the keys that work everywhere, the theme, the token dialog.
//
// A view is a file of views/, fetched when its address is first asked for: view(root, context) fills an empty root. context: id
// (what the pattern's group holds), query (what follows a ? in the hash), signal (aborts when the view is left), title(text), and
// keys({key: action}, [[keys, what they do]]) for keys of its own; an action that returns false leaves the key to the browser.
// What a view throws, or rejects with, is why it cannot be shown.

import { adoptToken, get, lost, onTokenWanted, pause, setToken, unescaped } from './lib/api.js';
import { tellConnection } from './lib/connection.js';
import { dialog, h, setText } from './lib/dom.js';
import { jobs } from './lib/jobs.js';
import { tellNews } from './lib/news.js';
import { wear } from './lib/sheet.js';
import { undoLast } from './lib/undo.js';

/** `sheets`: of web/style, what it wears. `control`: not for pages that are read only. `href`: the entry of the navigation that it
 * belongs to. */
const views = [
  { pattern: /^#?\/?$/, load: () => import('./views/runs.js'), sheets: ['runs'], nav: 'Runs', href: '#/' },
  { pattern: /^#\/runs\/([^/]+)$/, load: () => import('./views/run.js'), sheets: ['run', 'chart', 'new'], href: '#/' },
  { pattern: /^#\/study\/([^/]+)$/, load: () => import('./views/study.js'), sheets: ['run', 'new', 'study', 'chart'], href: '#/' },
  { pattern: /^#\/compare\/([^/]*)$/, load: () => import('./views/compare.js'), sheets: ['run', 'chart', 'compare'], href: '#/' },
  { pattern: /^#\/new(?:\/([^/]+))?$/, load: () => import('./views/new.js'), sheets: ['new'], nav: 'New run', href: '#/new', control: true },
  { pattern: /^#\/explore(?:\/([^/]+))?$/, load: () => import('./views/explore.js'), sheets: ['run', 'explore'], nav: 'Explore', href: '#/explore' },
  { pattern: /^#\/map\/([^/]+)$/, load: () => import('./views/map.js'), sheets: ['run', 'explore', 'chart'], href: '#/explore' },
  { pattern: /^#\/data$/, load: () => import('./views/data.js'), sheets: ['data'], nav: 'Data', href: '#/data' },
  { pattern: /^#\/data\/([^/]+)$/, load: () => import('./views/dataset.js'), sheets: ['data'], href: '#/data' },
];

const RETRY_MS = 1000;

const main = document.getElementById('main');
let shown = new AbortController();

function notFound(root, { title }) {
  title('Not found');
  root.append(h('section', { class: 'card empty' }, h('h1', {}, 'There is no such page'), h('p', {}, h('a', { class: 'button', href: '#/' }, 'All runs'))));
}

function failed(root, { title }, problem) {
  title(problem.away ? 'not connected' : 'Not shown');
  root.replaceChildren(h('section', { class: 'card warn', role: 'alert' },
    h('h1', {}, problem.away ? 'Waiting for the daemon' : 'This page cannot be shown'), h('p', {}, problem.message),
    h('p', { class: 'actions' }, h('button', { type: 'button', onclick: problem.away ? route : () => location.reload() }, 'Try again'),
      h('a', { class: 'button', href: '#/' }, 'All runs'))));
}

/** The file of a view. A browser says of one that does not come only that it is a TypeError. */
const fetched = (load) => load().catch((problem) => { throw problem instanceof TypeError ? lost(problem) : problem; });

/** A view that cannot open says why; while that is for want of a daemon, it is tried again. */
async function openView({ load, sheets = [] }, root, context) {
  const { signal } = context;
  while (!signal.aborted) {
    try {
      const [{ view }] = await Promise.all([fetched(load), wear(sheets)]);
      if (signal.aborted) return;
      return await view(root, context);
    } catch (problem) {
      if (signal.aborted) return;
      failed(root, context, problem);
      if (!problem.away) return;
    }
    await pause(RETRY_MS, signal);
  }
}

function route() {
  shown.abort();
  shown = new AbortController();
  const [hash, query] = location.hash.split('?', 2);
  const row = views.find(({ pattern }) => pattern.test(hash)) ?? { load: async () => ({ view: notFound }) };
  const id = unescaped(row.pattern?.exec(hash)[1] ?? '');
  for (const link of document.querySelectorAll('#nav a')) {
    if (link.getAttribute('href') === row.href) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const root = h('div', { class: 'view' });
  main.replaceChildren(root);
  const { signal } = shown;
  viewKeys = {};
  viewHelp = [];
  openView(row, root, {
    id, signal, query: new URLSearchParams(query),
    title: (text) => { if (!signal.aborted) document.title = `${text} · latentd`; },
    keys: (more, help = []) => { if (!signal.aborted) [viewKeys, viewHelp] = [more, help]; },
  });
}

// The focus was on something that is gone: on to what has come, without a jump.
function onHashChange() {
  if (adoptToken()) start();
  else route();
  main.focus({ preventScroll: true });
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
  u: undoLast,
  '?': () => { helpKeys(); },
};
const HELP = [['n', 'new run'], ['g', 'all runs'], ['t', 'light or dark'], ['u', 'undo, while a message offers it'], ['?', 'these keys']];
let viewKeys = {};
let viewHelp = [];

function helpKeys() {
  if (document.querySelector('dialog[open]')) return;
  const row = ([names, what]) => [h('dt', {}, names.split(' ').map((name) => h('kbd', {}, name))), h('dd', {}, what)];
  dialog(shown.signal, h('h2', {}, 'Keys'), h('dl', { class: 'keys' }, [...viewHelp, ...HELP].flatMap(row)),
    h('button', { autofocus: true }, 'Close'));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest('input:not([type="checkbox"]), select, textarea, [contenteditable], dialog, [popover], .scroll')) return;
  const action = viewKeys[event.key] ?? keys[event.key];
  if (action && action() !== false) event.preventDefault();
}

// --- token -------------------------------------------------------------------------------------------------------------

async function askToken(refused) {
  if (document.getElementById('token')) return;
  const input = h('input', { type: 'password', autocomplete: 'off', id: 'token', required: true });
  const answer = await dialog(shown.signal, h('h2', {}, 'This daemon asks for its token'),
    refused && h('p', { class: 'error' }, 'It does not know the one it was given.'),
    h('p', {}, 'It is in the file that --token-file names.'),
    h('label', { for: 'token' }, 'Token'), input, h('button', { class: 'primary', value: 'given' }, 'Continue'));
  if (answer !== 'given') return;
  setToken(input.value);
  start();
}

// --- server ------------------------------------------------------------------------------------------------------------

const server = document.getElementById('server');

async function sayServer() {
  const info = await get('v1/info');
  setText(server, [info.version && `v${info.version}`, info.threads && `${info.threads} threads`].filter(Boolean).join(' · '));
}

function sayConnection(connected) {
  server.classList.toggle('lost', !connected);
  if (connected) sayServer().catch(() => {});
  else setText(server, 'not connected');
}

// --- start -------------------------------------------------------------------------------------------------------------

let following = new AbortController();

function start() {
  sayServer().catch(() => {});
  following.abort();
  following = new AbortController();
  jobs.follow(following.signal);
  route();
}

adoptToken();
onTokenWanted(askToken);
tellConnection(document.querySelector('header'), sayConnection);
tellNews();
document.getElementById('nav').append(...views.filter((row) => row.nav).map((row) => h('a', { href: row.href, class: row.control && 'control' }, row.nav)),
  h('a', { href: `docs/${location.search}` }, 'Docs'));
document.getElementById('theme').addEventListener('click', toggleTheme);
// The address is the router's; the skip link must not change it.
document.getElementById('skip').addEventListener('click', (event) => { event.preventDefault(); main.focus(); });
document.addEventListener('keydown', onKey);
dark.addEventListener('change', themeChanged);
addEventListener('hashchange', onHashChange);
themeChanged();
start();

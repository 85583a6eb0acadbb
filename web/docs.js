// docs.js: what the manual gains where there is JavaScript: a switch of the theme, examples that name this daemon and can be
// copied, a filter over long tables.

import { copy, h, setText } from './lib/dom.js';

const USUAL = 'localhost:7117';

// --- theme: the choice is the dashboard's, too (theme.js) ---------------------------------------------------------------

const root = document.documentElement;
const dark = matchMedia('(prefers-color-scheme: dark)');
const themeButton = document.getElementById('theme');
const otherTheme = () => ((root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark' ? 'light' : 'dark');

function showTheme() {
  setText(themeButton, otherTheme() === 'dark' ? '☾' : '☀');
  themeButton.setAttribute('aria-label', `Switch to the ${otherTheme()} theme`);
}

function toggleTheme() {
  root.dataset.theme = otherTheme();
  try {
    localStorage.setItem('theme', root.dataset.theme);
  } catch {
    // Storage may be forbidden; the choice lasts as long as the page.
  }
  showTheme();
}

themeButton.hidden = false;
themeButton.addEventListener('click', toggleTheme);
dark.addEventListener('change', showTheme);
showTheme();

// --- a page that is read only stays so: what follows the ? in the address goes along ------------------------------------

const home = new URL('..', document.baseURI).href;
for (const link of location.search ? document.querySelectorAll('a[href]') : []) {
  const to = new URL(link.href);
  if (!to.href.startsWith(home)) continue;
  to.search = location.search;
  link.href = to.href;
}

// --- examples -------------------------------------------------------------------------------------------------------------

/** Where this daemon is, as curl takes it. */
const here = home.replace(/^http:\/\//, '').replace(/\/$/, '');

for (const code of document.querySelectorAll('pre > code')) {
  if (here !== '127.0.0.1:7117') setText(code, code.textContent.replaceAll(USUAL, here));
  const pre = code.parentElement;
  const frame = h('div', { class: 'example' });
  pre.replaceWith(frame);
  frame.append(pre, h('button', { type: 'button', class: 'small', onclick: () => copy(code.textContent.trimEnd()) }, 'Copy'));
}

// --- a filter: on pages with many sections ----------------------------------------------------------------------------------

const MANY = 20;

/** Sections are what lies between headings of level 3; one without a match is hidden with its heading. */
function sections() {
  const found = [];
  let current = null;
  for (const node of document.getElementById('main').children) {
    if (/^H[12]$/.test(node.tagName)) current = null;
    else if (node.tagName === 'H3') found.push(current = [node]);
    else current?.push(node);
  }
  return found;
}

function addFilter(found) {
  const all = found.map((nodes) => ({ nodes, text: nodes.map((node) => node.textContent).join(' ').toLowerCase() }));
  const said = h('span', { class: 'quiet', role: 'status' });
  const filter = () => {
    const words = input.value.trim().toLowerCase().split(/\s+/);
    const seen = all.filter(({ nodes, text }) => {
      const match = words.every((word) => text.includes(word));
      for (const node of nodes) node.hidden = !match;
      return match;
    });
    setText(said, input.value.trim() ? `${seen.length} of ${all.length} sections` : '');
  };
  const input = h('input', { type: 'text', id: 'filter', autocomplete: 'off', spellcheck: 'false', oninput: filter });
  document.querySelector('main h1').after(h('div', { class: 'filter' }, h('label', { for: 'filter' }, 'Show what has the words'), input, said));
}

const found = sections();
if (found.length >= MANY) addFilter(found);

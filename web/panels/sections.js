// panels/sections.js: the parts of a long page: a bar that leads to them, and cards that fold away; what is folded is remembered for
// each kind of page.

import { h, show } from '../lib/dom.js';

const KEY = 'folded';

function folded(kind) {
  try {
    return new Set(JSON.parse(localStorage.getItem(`${KEY}.${kind}`)) ?? []);
  } catch {
    return new Set();
  }
}

function remember(kind, set) {
  try {
    localStorage.setItem(`${KEY}.${kind}`, JSON.stringify([...set]));
  } catch {
    // Storage may be forbidden; it lasts as long as the page.
  }
}

/** Makes the heading of a card a button that folds the rest away. */
function foldable(card, kind) {
  const heading = card.querySelector('h2');
  const key = heading.textContent;
  const button = h('button', { type: 'button', class: 'fold' }, ...heading.childNodes);
  const say = (shut) => {
    card.classList.toggle('folded', shut);
    button.setAttribute('aria-expanded', String(!shut));
  };
  button.addEventListener('click', () => {
    const set = folded(kind);
    if (!set.delete(key)) set.add(key);
    remember(kind, set);
    say(set.has(key));
  });
  heading.replaceChildren(button);
  say(folded(kind).has(key));
}

export class Sections {
  /** parts: [title, node] of what the bar leads to; every card in `root` folds. */
  constructor(root, kind, parts, signal) {
    this.parts = parts.filter(([, node]) => node).map(([title, node]) => ({ node, link: this.link(title, node) }));
    this.node = h('nav', { class: 'sections', 'aria-label': 'Parts of this page' }, this.parts.map(({ link }) => link));
    for (const card of root.querySelectorAll('.card')) if (card.querySelector('h2')) foldable(card, kind);
    const seen = new IntersectionObserver((entries) => this.onSeen(entries), { rootMargin: '-20% 0px -60% 0px' });
    for (const { node } of this.parts) seen.observe(node);
    const bar = document.querySelector('.bar');
    const below = new ResizeObserver(() => this.node.style.setProperty('--bar', `${bar.offsetHeight}px`));
    below.observe(bar);
    signal.addEventListener('abort', () => {
      seen.disconnect();
      below.disconnect();
    });
  }

  // A button, as the address is the router's.
  link(title, node) {
    return h('button', { type: 'button', onclick: () => this.go(node) }, title);
  }

  go(node) {
    const card = node.matches('.card') ? node : node.querySelector('.card') ?? node;
    const button = card.querySelector('.fold');
    if (card.classList.contains('folded')) button.click();
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    node.scrollIntoView({ behavior: still ? 'auto' : 'smooth', block: 'start' });
    button?.focus({ preventScroll: true });
  }

  onSeen(entries) {
    for (const { target, isIntersecting } of entries) this.parts.find(({ node }) => node === target).seen = isIntersecting;
    const first = this.parts.find(({ seen }) => seen);
    if (first) this.node.scrollLeft = first.link.offsetLeft - this.node.clientWidth / 3;
    for (const part of this.parts) {
      if (part === first) part.link.setAttribute('aria-current', 'true');
      else part.link.removeAttribute('aria-current');
    }
  }

  /** What is not there has no place in the bar. */
  update() {
    for (const { node, link } of this.parts) show(link, !node.hidden);
  }
}

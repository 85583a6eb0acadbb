// lib/dom.js: making and changing elements. Text goes in as text, never as markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'text') node.textContent = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** h('button', {class: 'x', onclick: f}, 'Go'): false, null and undefined mean "leave it out". */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** Sets text only where it differs, so a selection survives the next refresh. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, visible) {
  node.hidden = !visible;
}

/** The colour that a CSS variable has right now, as canvas understands it. */
export function colour(name) {
  const probe = h('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Hands a file over to be saved. */
export function save(blob, name) {
  const link = h('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

let ids = 0;
export function newId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** A short message in the corner; read aloud by screen readers. */
export function toast(text, kind = 'info') {
  const node = h('div', { class: `toast ${kind}` }, text);
  document.getElementById('toasts').append(node);
  setTimeout(() => node.remove(), kind === 'error' ? 8000 : 3500);
}

/** A problem in the corner, unless it is only that the view has been left. */
export function complain(problem) {
  if (problem.name !== 'AbortError') toast(problem.message, 'error');
}

/** Asks in front of the page; resolves, when the form is sent, to the value of its button; to '' when it is put away or
 * `signal` says that there is nothing to ask any more. The first child is its heading. */
export function dialog(signal, heading, ...content) {
  heading.id ||= newId('dialog');
  const node = h('dialog', { 'aria-labelledby': heading.id }, h('form', { method: 'dialog' }, heading, ...content));
  const close = () => node.close();
  signal.addEventListener('abort', close);
  document.body.append(node);
  node.showModal();
  return new Promise((resolve) => {
    node.addEventListener('close', () => {
      signal.removeEventListener('abort', close);
      node.remove();
      resolve(node.returnValue);
    });
  });
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
  toast('Copied');
}

// Plain-HTTP pages other than localhost have no clipboard interface.
function copyBySelection(text) {
  const area = h('textarea', { class: 'offscreen', 'aria-hidden': 'true' });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** A command line with its copy button. `command` is asked when needed, so it may change. */
export function commandBox(command, label) {
  const code = h('code', { tabindex: '0', 'aria-label': label }, command());
  const node = h('div', { class: 'command' },
    h('button', { type: 'button', class: 'small', onclick: () => copy(command()), 'aria-label': `Copy: ${label}` }, 'Copy'), code);
  return { node, update: () => setText(code, command()) };
}

/** Runs `fn` at most once per `wait` milliseconds, the last call always; a call during a slow async `fn` waits for it. */
export function throttled(fn, wait) {
  let timer = 0;
  let busy = false;
  let again = false;
  let last = -Infinity;
  const run = async () => {
    timer = 0;
    busy = true;
    last = performance.now();
    try {
      await fn();
    } finally {
      busy = false;
      if (again) {
        again = false;
        ask();
      }
    }
  };
  const ask = () => {
    if (busy) again = true;
    else if (!timer) timer = setTimeout(run, Math.max(0, last + wait - performance.now()));
  };
  ask.cancel = () => {
    clearTimeout(timer);
    timer = 0;
    again = false;
  };
  return ask;
}

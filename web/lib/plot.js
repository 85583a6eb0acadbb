// lib/plot.js: a small chart of points and lines, each of which stands for one thing (a trial) that is looked at, marked and opened.
//
// It is SVG, because every mark has a meaning of its own; for long curves there is lib/chart.js. Axes are those of lib/trials.js:
// {choices} or {low, high, log}. Who makes one draws into it when it asks: draw(plot) adds axes, marks and words.

import { h, newId, svg } from './dom.js';
import { saveButtons } from './save_svg.js';
import { evenTicks, logTicks } from './scale.js';
import { place } from './trials.js';

const REACH = 28; // pixels from a mark within which it is meant
const NEAR = '300px'; // charts this far from what is seen are drawn already

// One chart a frame: a dozen of them with a thousand marks each would hold up the page.
const waiting = new Set();
let frame = 0;

function drawNext() {
  const [next] = waiting;
  waiting.delete(next);
  frame = waiting.size ? requestAnimationFrame(drawNext) : 0;
  next?.redraw();
}

function drawSoon(plot) {
  waiting.add(plot);
  frame ||= requestAnimationFrame(drawNext);
}

/** 0.00012 → "1.2e-4", 12000 → "12000": short enough for a tick. */
export function tickText(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential().replace(/(\.\d{2})\d+/, '$1').replace('e+', 'e');
  return String(Number(value.toPrecision(4)));
}

/** Where an axis has its words: [{share, text}], at most `room` of them. */
export function ticksOf(axis, room = 6) {
  if (axis.choices) {
    const each = Math.max(1, Math.ceil(axis.choices.length / Math.max(room, 12)));
    return axis.choices.map((text, i) => ({ share: (i + 0.5) / axis.choices.length, text })).filter((_, i) => i % each === 0);
  }
  const all = (axis.log ? logTicks(axis.low, axis.high) : evenTicks(axis.low, axis.high))
    .filter((value) => !axis.whole || Number.isInteger(value));
  const round = all.length > room && axis.log ? all.filter((value) => Number.isInteger(Number(Math.log10(value).toFixed(9)))) : all;
  const shown = round.length > 1 ? round : all;
  const each = Math.max(1, Math.ceil(shown.length / room));
  return shown.filter((_, i) => i % each === 0).map((value) => ({ share: place(axis, value), text: tickText(value) }));
}

/** A span with a little air at both ends, so that no mark is cut in half. */
export function padded(from, to, pad = 8) {
  const way = Math.sign(to - from);
  return (share) => from + way * pad + share * (to - from - 2 * way * pad);
}

/** The item whose place is nearest to (x, y), if it is within reach. */
export function nearest(items, x, y, reach = REACH) {
  let [found, least] = [null, reach * reach];
  for (const item of items) {
    for (const [px, py] of item.at) {
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far <= least) [found, least] = [item, far];
    }
  }
  return found;
}

export class Plot {
  /** `name`: of the files that it is saved as; `onMark(key)`: what is looked at, null: nothing; `onPick(key)`: it is to be opened. */
  constructor({ name, label, height = 220, draw, onMark = () => {}, onPick = () => {} }) {
    Object.assign(this, { label, height, onMark, onPick, drawInto: draw, items: [], marked: null, kept: null });
    const help = newId('plot');
    this.svg = svg('svg', { class: 'plot-svg', role: 'img', tabindex: '0', 'aria-label': label, 'aria-describedby': help,
      onpointermove: (event) => this.look(event), onpointerleave: () => this.onMark(null), onclick: (event) => this.click(event),
      onkeydown: (event) => this.key(event) });
    this.tip = h('div', { class: 'plot-tip', hidden: true, 'aria-hidden': 'true' });
    this.node = h('div', { class: 'plot' }, this.svg, this.tip,
      h('span', { class: 'offscreen', id: help }, 'Arrow keys go from one to the next, Enter opens it.'));
    this.save = saveButtons(() => this.svg, name);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.node);
    this.eye = new IntersectionObserver((entries) => this.onSight(entries.at(-1).isIntersecting), { rootMargin: NEAR });
    this.eye.observe(this.node);
    this.svg.setAttribute('height', String(height)); // what is not drawn yet has its place
  }

  onSight(seen) {
    this.seen = seen;
    if (seen && this.stale) this.update();
  }

  resized() {
    if (Math.floor(this.node.clientWidth) !== this.width) this.update();
  }

  /** Drawn at one of the next frames, however often it is called; out of sight, once it comes into it. */
  update() {
    this.stale = true;
    if (this.seen) drawSoon(this);
  }

  redraw() {
    this.width = Math.floor(this.node.clientWidth);
    if (!this.width) return;
    this.stale = false;
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    this.items = [];
    this.on = null;
    this.svg.replaceChildren();
    this.drawInto(this);
    this.svg.dataset.items = String(this.items.length);
    this.paint();
  }

  // --- what is drawn ---------------------------------------------------------------------------------------------------

  add(...nodes) {
    this.svg.append(...nodes);
  }

  /** The box between two axes with their ticks; → {x(share), y(share), left, right, top, bottom}. */
  axes(xAxis, yAxis, { left = 58, right = 12, top = 10, bottom = 40, xName = xAxis.name, yRoom = 5 } = {}) {
    const box = { left, right: this.width - right, top, bottom: this.height - bottom };
    const [x, y] = [padded(box.left, box.right), padded(box.bottom, box.top)];
    const group = svg('g', { class: 'plot-axes' });
    for (const { share, text } of ticksOf(yAxis, yRoom)) {
      group.append(svg('line', { class: 'grid', x1: box.left, x2: box.right, y1: y(share), y2: y(share) }),
        svg('text', { x: box.left - 6, y: y(share), 'text-anchor': 'end', 'dominant-baseline': 'middle' }, text));
    }
    for (const { share, text } of ticksOf(xAxis, Math.max(2, Math.floor((box.right - box.left) / 56)))) {
      group.append(svg('line', { class: 'grid', x1: x(share), x2: x(share), y1: box.top, y2: box.bottom }),
        svg('text', { x: x(share), y: box.bottom + 15, 'text-anchor': 'middle' }, text));
    }
    group.append(svg('text', { class: 'plot-name', x: (box.left + box.right) / 2, y: this.height - 6, 'text-anchor': 'middle' }, xName));
    this.add(group);
    return { ...box, x, y };
  }

  /** A mark that stands for `key`: `at` are its places, `words` what is said of it. */
  item(key, node, at, words) {
    node.classList.add('plot-item');
    this.items.push({ key, node, at, words });
    this.add(node);
  }

  // --- what is looked at -----------------------------------------------------------------------------------------------

  look(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    const item = nearest(this.alive, event.clientX - left, event.clientY - top);
    this.onMark(item?.key ?? null);
    this.over = item;
  }

  click(event) {
    this.look(event);
    if (this.over) this.onPick(this.over.key);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const list = this.alive;
    if (event.key === 'Enter' && this.marked !== null) this.onPick(this.marked);
    else if (event.key === 'Escape') this.onMark(null);
    else if (step && list.length) {
      const i = list.findIndex(({ key }) => key === this.marked);
      this.onMark(list[i < 0 ? 0 : (i + step + list.length) % list.length].key, true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Those that the filter leaves. */
  get alive() {
    return this.kept ? this.items.filter(({ key }) => this.kept.has(key)) : this.items;
  }

  /** `keys`: a set, the others step back; null: all of them. */
  keep(keys) {
    this.kept = keys;
    for (const { key, node } of this.items) node.classList.toggle('off', keys !== null && !keys.has(key));
  }

  mark(key) {
    this.marked = key;
    const item = this.items.find((one) => one.key === key) ?? null;
    this.on?.node.classList.remove('on');
    item?.node.classList.add('on');
    this.on = item;
    this.svg.classList.toggle('has-mark', item !== null);
    this.showTip(item);
  }

  paint() {
    this.keep(this.kept);
    this.mark(this.marked);
  }

  showTip(item) {
    const show = item !== null && (this.svg.matches(':hover') || this.svg === document.activeElement);
    this.tip.hidden = !show;
    if (!show) return;
    this.tip.textContent = item.words;
    const [x, y] = item.at.at(-1);
    const half = this.tip.offsetWidth / 2;
    this.tip.style.setProperty('left', `${Math.min(this.width - half, Math.max(half, x))}px`);
    this.tip.style.setProperty('top', `${y < 64 ? y + 14 : y - 14 - this.tip.offsetHeight}px`);
  }

  describe(text) {
    this.svg.setAttribute('aria-label', text);
  }

  close() {
    this.observer.disconnect();
    this.eye.disconnect();
    waiting.delete(this);
  }
}

/** The sign of a state: complete a dot, pruned a rhomb, running a ring, others a cross. */
export function sign(state, x, y, r = 4) {
  const cls = `sign ${state}`;
  if (state === 'complete' || state === 'running' || state === 'waiting') return svg('circle', { class: cls, cx: x, cy: y, r });
  if (state === 'pruned') return svg('path', { class: cls,
    d: `M${x},${y - r - 1}L${x + r + 1},${y}L${x},${y + r + 1}L${x - r - 1},${y}Z` });
  return svg('path', { class: cls, d: `M${x - r},${y - r}L${x + r},${y + r}M${x + r},${y - r}L${x - r},${y + r}` });
}

// panels/study_parallel.js: parallel coordinates: an axis a parameter and one for the value, a line a trial. What is brushed on an
// axis filters the trials, by mouse, by touch, or by the two handles that each axis has.

import { h, setText, show, svg } from '../lib/dom.js';
import { loss } from '../lib/format.js';
import { ticksOf } from '../lib/plot.js';
import { saveButtons } from '../lib/save_svg.js';
import { isNumber, onAxis, place, telling, valueAt, within } from '../lib/trials.js';
import { ranks } from './study_slices.js';
import { paramText } from './study_words.js';

const HEIGHT = 330;
const [TOP, BOTTOM] = [40, 14];
const ROOM = 92; // pixels that an axis should have
const LEAST = 0.015; // a shorter drag is a click, which takes the brush away
const STEPS = { ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.1, PageDown: -0.1 };

const clamp = (share) => Math.min(1, Math.max(0, share));

/** A brush over named values takes whole ones. */
export function snapped(axis, [low, high]) {
  if (!axis.choices) return [low, high];
  const n = axis.choices.length;
  return [Math.floor(low * n + 1e-9) / n, Math.ceil(high * n - 1e-9) / n];
}

/** A brush stays on the values that it held when its axis gets other bounds; an end at the end of the axis stays there. */
export function carried(range, from, to) {
  if (from.choices || to.choices) return range;
  return range.map((share) => (share <= 0 || share >= 1 ? share : clamp(place(to, valueAt(from, share)))));
}

export class ParallelPanel {
  constructor({ onMark, onPick, onFilter }) {
    Object.assign(this, { onMark, onPick, onFilter, brushes: {}, signature: '', lines: new Map(), marked: null });
    this.svg = svg('svg', { class: 'plot-svg parallel', role: 'group', 'aria-label': 'Parallel coordinates of the trials',
      height: String(HEIGHT) });
    this.readout = h('p', { class: 'hint', role: 'status' });
    this.clear = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.unbrush() }, 'All trials');
    this.scroll = h('div', { class: 'parallel-scroll', tabindex: '0', role: 'region', 'aria-label': 'Parallel coordinates' }, this.svg);
    this.node = h('section', { class: 'card parallel-card', 'aria-labelledby': 'parallel-title', hidden: true },
      h('div', { class: 'head' }, h('h2', { id: 'parallel-title' }, 'Parameters of the trials'), this.clear,
        h('span', { class: 'ramp' }, 'best', h('i', { 'aria-hidden': 'true' }), 'worst'), saveButtons(() => this.svg, 'parallel')),
      this.readout, this.scroll);
    this.observer = new ResizeObserver(() => this.update());
    this.observer.observe(this.scroll);
    this.plots = [];
  }

  set(study) {
    this.study = study;
    const axes = [...telling(study.axes), study.value];
    for (const axis of axes) {
      const before = this.axes?.find(({ name }) => name === axis.name);
      if (before && this.brushes[axis.name]) this.brushes[axis.name] = carried(this.brushes[axis.name], before, axis);
    }
    this.axes = axes;
    show(this.node, study.trials.some(({ value }) => isNumber(value)));
    this.update();
  }

  update() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.study) this.redraw();
    });
  }

  // Axes and their handles stay while only trials come: a handle keeps its focus.
  redraw() {
    if (this.dragging) return; // what the hand holds stays until it lets go
    this.width = Math.max(Math.floor(this.scroll.clientWidth), ROOM * this.axes.length);
    const signature = JSON.stringify([this.width, this.axes]);
    if (signature !== this.signature) this.build(signature);
    this.drawLines();
    this.apply();
  }

  x(i) {
    const inset = Math.min(70, this.width / this.axes.length / 2);
    return this.axes.length > 1 ? inset + (i / (this.axes.length - 1)) * (this.width - 2 * inset) : this.width / 2;
  }

  y(share) {
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  }

  build(signature) {
    this.signature = signature;
    const focused = this.svg.contains(document.activeElement) ? document.activeElement.dataset.handle : null;
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${HEIGHT}`);
    this.svg.setAttribute('width', String(this.width));
    this.layer = svg('g', { class: 'parallel-lines' });
    this.lines = new Map();
    this.controls = this.axes.map((axis, i) => this.axis(axis, i));
    this.svg.replaceChildren(this.layer, ...this.controls.map(({ node }) => node));
    if (focused) this.svg.querySelector(`[data-handle="${CSS.escape(focused)}"]`)?.focus();
  }

  axis(axis, i) {
    const x = this.x(i);
    const brush = svg('rect', { class: 'brush', x: x - 9, width: 18, y: 0, height: 0 });
    const handles = ['low', 'high'].map((end) => this.handle(axis, end, x));
    const strip = svg('rect', { class: 'strip', x: x - 16, width: 32, y: TOP - 6, height: HEIGHT - TOP - BOTTOM + 12,
      onpointerdown: (event) => this.drag(event, axis) });
    const name = svg('text', { class: 'axis-name', x, y: 14, 'text-anchor': 'middle' }, axis.name, svg('title', {}, axis.name));
    const ticks = ticksOf(axis, 6).flatMap(({ share, text }) => [svg('line',
      { class: 'tick', x1: x - 5, x2: x, y1: this.y(share), y2: this.y(share) }),
      svg('text', { class: 'tick-text', x: x - 11, y: this.y(share), 'text-anchor': 'end', 'dominant-baseline': 'middle' }, text)]);
    const node = svg('g', { class: 'axis' }, name, svg('line', { class: 'axis-line', x1: x, x2: x, y1: this.y(0), y2: this.y(1) }),
      ticks, brush, strip, handles);
    return { axis, node, brush, handles };
  }

  // --- brushes ---------------------------------------------------------------------------------------------------------

  handle(axis, end, x) {
    return svg('path', { class: 'handle', role: 'slider', tabindex: '0', 'data-handle': `${axis.name} ${end}`, 'data-x': String(x),
      'aria-label': `${axis.name}, ${end === 'low' ? 'from' : 'to'}`, 'aria-valuemin': '0', 'aria-valuemax': '100',
        'aria-orientation': 'vertical',
      onkeydown: (event) => this.key(event, axis, end), onpointerdown: (event) => this.drag(event, axis, end) });
  }

  key(event, axis, end) {
    const [low, high] = this.brushes[axis.name] ?? [0, 1];
    const unit = axis.choices ? Math.sign(STEPS[event.key]) / axis.choices.length : STEPS[event.key];
    const now = end === 'low' ? low : high;
    const next = { Home: 0, End: 1 }[event.key] ?? (event.key in STEPS ? clamp(now + unit) : null);
    if (event.key === 'Escape') this.brush(axis, null);
    else if (next !== null) this.brush(axis, end === 'low' ? [Math.min(next, high), high] : [low, Math.max(next, low)]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  shareAt(event) {
    const { top, height } = this.svg.getBoundingClientRect();
    const y = ((event.clientY - top) / height) * HEIGHT;
    return clamp((HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM));
  }

  /** From where the pointer goes down; at a handle the other end stays. */
  drag(event, axis, end) {
    event.preventDefault();
    const target = event.currentTarget;
    const [low, high] = this.brushes[axis.name] ?? [0, 1];
    const from = end === 'low' ? high : end === 'high' ? low : this.shareAt(event);
    target.setPointerCapture(event.pointerId);
    this.dragging = true;
    const move = (e) => {
      const to = this.shareAt(e);
      if (Math.abs(to - from) >= LEAST) this.brush(axis, [Math.min(from, to), Math.max(from, to)]);
      else if (e.type === 'pointerup' && !end) this.brush(axis, null);
    };
    const done = () => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', move);
      this.dragging = false;
      this.update();
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', move);
    target.addEventListener('lostpointercapture', done, { once: true });
  }

  brush(axis, range) {
    const whole = !range || (range[0] <= 0 && range[1] >= 1);
    if (whole) delete this.brushes[axis.name];
    else this.brushes[axis.name] = snapped(axis, range);
    this.apply();
  }

  unbrush() {
    this.brushes = {};
    this.apply();
    this.scroll.focus({ preventScroll: true });
  }

  apply() {
    for (const { axis, brush, handles } of this.controls ?? []) {
      const [low, high] = this.brushes[axis.name] ?? [0, 1];
      brush.setAttribute('y', String(this.y(high)));
      brush.setAttribute('height', String(this.y(low) - this.y(high)));
      brush.classList.toggle('set', axis.name in this.brushes);
      [low, high].forEach((share, i) => this.placeHandle(handles[i], axis, share, i ? -1 : 1));
    }
    this.filter();
  }

  placeHandle(node, axis, share, way) {
    const [x, y] = [Number(node.dataset.x), this.y(share)];
    node.setAttribute('d', `M${x - 9},${y}H${x + 9}L${x + 6},${y + 7 * way}H${x - 6}Z`);
    node.setAttribute('aria-valuenow', String(Math.round(100 * share)));
    node.setAttribute('aria-valuetext', String(paramText(valueAt(axis, axis.choices ? clamp(share - way * -1e-6 - (way < 0 ? 2e-6 : 0))
      : share))));
  }

  /** Trials that every brush holds; null: nothing is brushed. */
  filter() {
    const brushed = Object.keys(this.brushes).length > 0;
    const { trials, axes, value } = this.study;
    const kept = brushed ? new Set(within(trials, axes, value, this.brushes).map(({ number }) => number)) : null;
    show(this.clear, brushed);
    const judged = trials.filter(({ value: v }) => isNumber(v)).length;
    setText(this.readout, brushed ? `${kept.size} of ${trials.length} trials: ${this.said()}`
      : `${judged} trials with a value. Drag along an axis to choose some.`);
    for (const [number, line] of this.lines) line.classList.toggle('off', kept !== null && !kept.has(number));
    const same = String(kept && [...kept]) === this.told;
    this.told = String(kept && [...kept]);
    if (!same) this.onFilter(kept);
  }

  said() {
    return this.axes.filter(({ name }) => this.brushes[name]).map((axis) => {
      const [low, high] = this.brushes[axis.name];
      if (!axis.choices) return `${axis.name} ${paramText(valueAt(axis, low))} … ${paramText(valueAt(axis, high))}`;
      return `${axis.name} ${axis.choices.slice(Math.round(low * axis.choices.length), Math.round(high * axis.choices.length)).join(', ')}`;
    }).join('; ');
  }

  // --- lines -----------------------------------------------------------------------------------------------------------

  /** What is absent on an axis (its condition does not hold) is a gap in the line. */
  pathOf(trial) {
    let pen = 'M';
    return this.axes.map((axis, i) => {
      const at = place(axis, onAxis(trial, axis, this.study.value));
      if (at === null) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${this.x(i).toFixed(1)},${this.y(at).toFixed(1)}`;
      pen = 'L';
      // Alone between two gaps it is a dot.
      return step === 'M' ? '' : step;
    }).join('');
  }

  drawLines() {
    const rank = ranks(this.study.trials, this.study.direction);
    const judged = this.study.trials.filter(({ number }) => rank.has(number)).sort((a, b) => rank.get(a.number) - rank.get(b.number));
    const nodes = judged.map((trial) => this.line(trial, rank.get(trial.number)));
    this.layer.replaceChildren(...nodes);
    this.lines = new Map(judged.map((trial, i) => [trial.number, nodes[i]]));
    this.svg.dataset.lines = String(judged.length);
    this.mark(this.marked);
  }

  line(trial, rank) {
    const known = this.lines.get(trial.number);
    const node = known ?? svg('path', { class: `parallel-line ${trial.state}`, onpointerenter: () => this.onMark(trial.number),
      onpointerleave: () => this.onMark(null), onclick: () => this.onPick(trial.number) },
        svg('title', {}, `trial ${trial.number}: ${loss(trial.value)}`));
    node.setAttribute('d', this.pathOf(trial));
    node.style.setProperty('--rank', String(rank));
    return node;
  }

  mark(number) {
    const line = this.lines.get(number);
    this.lines.get(this.marked)?.classList.remove('on');
    this.marked = number;
    line?.classList.add('on');
    if (line && line !== this.layer.lastChild && !line.matches(':hover')) this.layer.append(line); // above the others
    this.layer?.classList.toggle('has-mark', Boolean(line));
  }

  keep() {}

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }
}

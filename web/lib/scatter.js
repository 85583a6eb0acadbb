// lib/scatter.js: a map of many points on a canvas, heat beneath them, and marks above: little pictures of their own, which move without
// the rest being drawn or composed again (that is what a frame costs where no graphics card helps).
//
// Zoom by wheel, pinch, keys and buttons; a drag moves the view, or is told to `onSteer` when there is one (then two fingers, or a drag
// with Shift or the right button, move the view). Places are told in the map's own coordinates, y upwards.

import { colour, h, newId } from './dom.js';
import { Pins } from './pins.js';
import { boundsOf, density, disc, hitGrid, splat } from './splat.js';

const SERIES = 10; // colours of style/base.css
const MARGIN = 0.06; // of the side, around what is shown whole
const CLICK_PX = 4; // a hand that has moved less has clicked
const NEAR_PX = 14; // to a point that is meant
const STEP = 0.04; // of the side, for an arrow key
const ZOOM = 1.25;
const BANDS = 6; // of the heat: steps read as contours
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const rgbOf = (name) => (colour(name).match(/[\d.]+/g) ?? [0, 0, 0]).slice(0, 3).map(Number);

export class Scatter {
  /** onSteer([x, y], phase: 'start' | 'move' | 'end'), onPick(i, [x, y]) (i = -1: beside all points), onHover(i, pixel), onView(). */
  constructor(label, { help, ...handlers }) {
    Object.assign(this, { handlers, xy: new Float32Array(0), labels: null, hidden: new Set(), marks: [], touched: false });
    Object.assign(this, { heat: true, dots: true, tiles: null }); // tiles: {canvas, bounds}: pictures in place of the heat
    this.view = { scale: 1, x: 0, y: 0 }; // CSS pixels per unit, and what lies in the middle
    this.size = [0, 0];
    this.pointers = new Map();
    this.canvas = h('canvas', { class: 'scatter-base', width: '1', height: '1', 'aria-hidden': 'true' });
    const id = newId('scatter');
    this.words = h('p', { class: 'offscreen', id }, help);
    this.pad = h('div', { class: 'scatter', tabindex: '0', role: 'application', 'aria-label': label, 'aria-describedby': id }, this.canvas);
    this.pins = new Pins(this.pad);
    this.node = h('div', { class: 'scatter-box' }, this.pad, this.words, this.buttons());
    this.listen();
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.pad);
    this.theme = () => this.recolour();
    document.addEventListener('themechange', this.theme);
    this.recolour();
  }

  buttons() {
    const button = (text, name, onclick) => h('button', { type: 'button', class: 'small', 'aria-label': name, title: name, onclick }, text);
    return h('div', { class: 'scatter-buttons' }, button('+', 'Zoom in', () => this.zoom(ZOOM ** 2)),
      button('−', 'Zoom out', () => this.zoom(ZOOM ** -2)), button('⤢', 'Show all', () => this.fit()));
  }

  // --- what is shown -----------------------------------------------------------------------------------------------------

  /** Points at `xy`, of classes `labels`. The view stays where somebody has moved it, or `keep` says so. */
  setPoints(xy, labels, { keep = false, frame } = {}) {
    this.xy = xy;
    this.labels = labels;
    this.hit = null;
    this.cloud = null;
    this.frame = frame ?? null; // what is to be seen where there are no points
    if (!keep && !this.touched) this.fit();
    else this.drawAll();
  }

  /** The same points elsewhere: they go there in `ms`, unless people would rather not see things move. */
  morph(xy, ms) {
    cancelAnimationFrame(this.morphing);
    const from = this.xy;
    if (from.length !== xy.length || !(ms > 0) || matchMedia('(prefers-reduced-motion: reduce)').matches) return this.setPoints(xy,
      this.labels);
    const begun = performance.now();
    const between = new Float32Array(xy.length);
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - begun) / ms));
      for (let i = 0; i < xy.length; i++) between[i] = (1 - t) * from[i] + t * xy[i];
      this.cloud = null;
      this.setPoints(t < 1 ? between : xy, this.labels);
      if (t < 1) this.morphing = requestAnimationFrame(step);
      else this.morphing = null;
    };
    this.morphing = requestAnimationFrame(step);
  }

  setHidden(hidden) {
    this.hidden = hidden;
    this.drawAll();
  }

  /** What is beneath the points, and whether there are points. */
  setBackdrop({ heat, dots, tiles }) {
    Object.assign(this, { heat, dots, tiles });
    this.drawAll();
  }

  /** [{at: [x, y], kind, text}], drawn in this order. */
  setMarks(marks) {
    this.marks = marks;
    this.schedule('marks');
  }

  recolour() {
    this.colours = Array.from({ length: SERIES }, (_, k) => rgbOf(`series-${k + 1}`));
    this.ink = Object.fromEntries(['text', 'card', 'accent', 'bad', 'quiet', 'line'].map((name) => [name, colour(name)]));
    this.heatColour = rgbOf('quiet');
    if (this.cloud) this.cloud.picture = null;
    this.drawAll();
  }

  near([x, y]) {
    this.hit ??= hitGrid(this.xy);
    return this.xy.length ? this.hit(x, y, NEAR_PX / this.view.scale, (i) => this.hidden.has(this.labels?.[i] ?? 0)) : -1;
  }

  // --- the view ----------------------------------------------------------------------------------------------------------

  toPixel([x, y]) {
    const [width, height] = this.size;
    return [width / 2 + (x - this.view.x) * this.view.scale, height / 2 - (y - this.view.y) * this.view.scale];
  }

  toPlace([px, py]) {
    const [width, height] = this.size;
    return [this.view.x + (px - width / 2) / this.view.scale, this.view.y - (py - height / 2) / this.view.scale];
  }

  /** {left, right, bottom, top} of what is seen. */
  get shown() {
    const [left, top] = this.toPlace([0, 0]);
    const [right, bottom] = this.toPlace(this.size);
    return { left, right, bottom, top };
  }

  fit() {
    const [width, height] = this.size;
    if (!width || !height) return;
    const { left, right, bottom, top } = this.frame && !this.xy.length ? this.frame : boundsOf(this.xy);
    const room = 1 - 2 * MARGIN;
    this.touched = false;
    this.setView({ x: (left + right) / 2, y: (bottom + top) / 2,
      scale: Math.min((room * width) / (right - left || 1e-9), (room * height) / (top - bottom || 1e-9)) });
  }

  setView(view) {
    this.view = view;
    this.drawAll();
    this.handlers.onView?.();
  }

  /** By a factor, around a pixel: what lies there stays there. */
  zoom(factor, pixel = this.size.map((side) => side / 2)) {
    const [x, y] = this.toPlace(pixel);
    const scale = Math.min(1e7, Math.max(1e-7, this.view.scale * factor));
    const share = this.view.scale / scale;
    this.touched = true;
    this.setView({ scale, x: x + (this.view.x - x) * share, y: y + (this.view.y - y) * share });
  }

  pan(dx, dy) {
    const { scale, x, y } = this.view;
    this.touched = true;
    this.setView({ scale, x: x - dx / scale, y: y + dy / scale });
  }

  /** A place that is not seen comes into the middle. */
  bring([x, y]) {
    const { left, right, bottom, top } = this.shown;
    if (x > left && x < right && y > bottom && y < top) return;
    this.touched = true;
    this.setView({ scale: this.view.scale, x, y });
  }

  resized() {
    this.size = [this.pad.clientWidth, this.pad.clientHeight]; // asked for once: in a frame it would have the page laid out
    const [width, height] = this.size;
    if (!width || !height) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.ratio = ratio;
    this.image = this.paper = null;
    if (this.touched) this.drawAll();
    else this.fit();
  }

  // --- drawing: at the next frame, however often it is asked for -----------------------------------------------------------

  drawAll() {
    this.schedule('points');
  }

  schedule(what) {
    this.stale = this.stale === 'points' ? 'points' : what;
    this.frameAsked ??= requestAnimationFrame(() => {
      this.frameAsked = null;
      if (!this.ratio) return;
      if (this.stale === 'points') this.drawBase();
      this.stale = null;
      this.drawMarks();
    });
  }

  drawBase() {
    const { width, height } = this.canvas;
    const context = this.canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.drawHeat(context);
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.drawPoints(context);
  }

  drawHeat(context) {
    if (this.tiles) return this.drawOver(context, this.tiles.canvas, this.tiles.bounds);
    if (!this.heat || this.morphing || this.xy.length < 100) return;
    this.cloud ??= density(this.xy, boundsOf(this.xy));
    this.cloud.picture ??= this.heatPicture();
    context.imageSmoothingQuality = 'high';
    this.drawOver(context, this.cloud.picture, this.cloud.bounds);
  }

  drawOver(context, picture, bounds) {
    const [left, top] = this.toPixel([bounds.left, bounds.top]);
    const [right, bottom] = this.toPixel([bounds.right, bounds.bottom]);
    context.imageSmoothingEnabled = picture === this.cloud?.picture;
    context.drawImage(picture, left, top, right - left, bottom - top);
  }

  heatPicture() {
    const { values, width, height } = this.cloud;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    values.forEach((value, i) => {
      const band = Math.ceil(Math.sqrt(value) * BANDS - 0.35) / BANDS; // few points are seen, too
      image.data.set([...this.heatColour, Math.max(0, 80 * band)], 4 * i);
    });
    context.putImageData(image, 0, 0);
    return canvas;
  }

  get radius() {
    const n = this.xy.length / 2;
    return (n > 30000 ? 0.8 : n > 3000 ? 1.2 : 2) * Math.sqrt(Math.max(1, Math.min(4, this.size[0] / 500)));
  }

  drawPoints(context) {
    const { width, height } = this.canvas;
    this.paper ??= new OffscreenCanvas(width, height);
    const beside = this.paper.getContext('2d');
    this.image ??= beside.createImageData(width, height);
    this.image.data.fill(0);
    const xy = this.dots ? this.xy : this.xy.subarray(0, 0);
    const { scale, x, y } = this.view;
    const by = scale * this.ratio;
    const seen = splat(this.image, { xy, labels: this.labels, hidden: this.hidden, disc: disc(this.radius * this.ratio),
      view: [by, width / 2 - x * by, height / 2 + y * by], colours: this.labels ? this.colours : [this.colours[0]] });
    beside.putImageData(this.image, 0, 0); // straight onto the map it would take the heat away
    context.drawImage(this.paper, 0, 0);
    this.pad.dataset.points = String(seen);
  }

  drawMarks() {
    const marks = this.marks.filter(({ at }) => at.every(Number.isFinite)).map((mark) => ({ ...mark, pixel: this.toPixel(mark.at) }));
    this.pins.set(marks, this.ink, this.ratio);
    this.pad.dataset.drawn = String(Number(this.pad.dataset.drawn ?? 0) + 1);
  }

  /** All that is seen, as a PNG. */
  async png() {
    const canvas = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const context = canvas.getContext('2d');
    context.fillStyle = this.ink.card;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.canvas, 0, 0);
    this.pins.drawOnto(context, this.ratio);
    return canvas.convertToBlob({ type: 'image/png' });
  }

  // --- hands -------------------------------------------------------------------------------------------------------------

  listen() {
    const on = (name, act, options) => this.pad.addEventListener(name, act, options);
    on('pointerdown', (event) => this.onDown(event));
    on('pointermove', (event) => this.onMove(event));
    on('pointerup', (event) => this.onUp(event));
    on('pointercancel', (event) => this.onUp(event, true));
    on('pointerleave', () => this.handlers.onHover?.(-1, null));
    on('contextmenu', (event) => event.preventDefault());
    on('dblclick', () => !this.handlers.onSteer && this.fit());
    on('wheel', (event) => { event.preventDefault(); this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)),
      this.pixelOf(event)); }, { passive: false });
    on('keydown', (event) => this.onKey(event));
  }

  pixelOf({ clientX, clientY }) {
    const { left, top } = this.pad.getBoundingClientRect();
    return [clientX - left - this.pad.clientLeft, clientY - top - this.pad.clientTop];
  }

  onDown(event) {
    const pixel = this.pixelOf(event);
    this.pad.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, pixel);
    if (this.pointers.size > 1) {
      if (this.steering) this.handlers.onSteer(this.toPlace(pixel), 'end');
      this.steering = false;
      this.moved = Infinity;
      return;
    }
    this.moved = 0;
    this.steering = Boolean(this.handlers.onSteer) && event.button === 0 && !event.shiftKey;
    if (this.steering) this.handlers.onSteer(this.toPlace(pixel), 'start');
  }

  onMove(event) {
    const pixel = this.pixelOf(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.handlers.onHover?.(this.near(this.toPlace(pixel)), pixel);
    const [dx, dy] = [pixel[0] - before[0], pixel[1] - before[1]];
    this.moved += Math.hypot(dx, dy);
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, pixel);
    this.pointers.set(event.pointerId, pixel);
    if (this.pointers.size > 1 || (!dx && !dy)) return;
    if (this.steering) this.handlers.onSteer(this.toPlace(pixel), 'move');
    else this.pan(dx, dy);
  }

  /** The other finger stays where it is. */
  pinch(id, before, now) {
    const [, other] = [...this.pointers].find(([key]) => key !== id);
    const apart = (p) => Math.max(10, Math.hypot(p[0] - other[0], p[1] - other[1]));
    this.zoom(apart(now) / apart(before), other);
  }

  onUp(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const place = this.toPlace(this.pixelOf(event));
    if (this.steering) this.handlers.onSteer(place, 'end');
    if (this.moved < CLICK_PX && !cancelled) this.handlers.onPick?.(this.near(place), place);
    this.steering = false;
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = KEYS[event.key];
    const [width, height] = this.size;
    const step = STEP * Math.min(width, height);
    if (way && this.handlers.onArrow && !event.shiftKey) this.handlers.onArrow(way.map((part) => (part * step) / this.view.scale));
    else if (way) this.pan(-way[0] * step, way[1] * step);
    else if (event.key === '+' || event.key === '=') this.zoom(ZOOM);
    else if (event.key === '-') this.zoom(1 / ZOOM);
    else if (event.key === '0') this.fit();
    else if (event.key === 'Enter' && this.handlers.onEnter) this.handlers.onEnter();
    else return;
    event.preventDefault();
  }

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frameAsked);
    cancelAnimationFrame(this.morphing);
    document.removeEventListener('themechange', this.theme);
  }
}

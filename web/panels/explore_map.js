// panels/explore_map.js: the map of the codes on which a hand leads the code about: which plane it is, and what is seen on it.

import { normals } from '../lib/codes.js';
import { h, setText, show } from '../lib/dom.js';
import { numbers } from '../lib/numbers.js';
import { drawTiles } from '../lib/pixels.js';
import { blendPlane, principalPlane, randomPlane, unitPlane } from '../lib/plane.js';
import { Scatter } from '../lib/scatter.js';
import { drawBitmap } from '../lib/sprites.js';
import { Legend } from './legend.js';

const TILES = 14; // images along the longer side of the map
const TILES_MS = 250; // after the view has come to rest
const ROOM = { left: -3, right: 3, bottom: -3, top: 3 }; // what is seen of a plane without points
const HELP = 'Drag, or press the arrow keys, to lead the code about; the image follows. A click on a point takes its code. '
  + 'Zoom with the wheel, two fingers, plus and minus; Shift and a drag or an arrow key moves the view; 0 shows all; '
  + 'Enter takes the nearest point.';

export class ExploreMap {
  /** onMove(z, {place, final}), onPick(i), onAxes(name): another plane is wanted or is there. */
  constructor(signal, { onMove, onPick, onAxes }) {
    Object.assign(this, { signal, onMove, onPick, onAxes, codes: null, plane: null, z: null, slots: [], seed: 1 });
    this.scatter = new Scatter('Map of the codes', { help: HELP, onSteer: (place, phase) => this.steer(place, phase), onPick: (i) => i >= 0
      && onPick(i),
      onHover: (i, pixel) => this.hover(i, pixel), onView: () => this.askTiles(), onArrow: (way) => this.arrow(way),
        onEnter: () => this.enter() });
    this.axes = h('select', { 'aria-label': 'What the map shows', onchange: () => this.chosen() });
    const unit = (name) => h('select', { 'aria-label': name, onchange: () => this.chosen() });
    [this.right, this.up] = [unit('Unit to the right'), unit('Unit upwards')];
    this.pair = h('span', { class: 'controls', hidden: true }, 'right', this.right, 'up', this.up);
    this.turn = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.otherDirections() }, 'Other directions');
    this.backdrop = h('select', { 'aria-label': 'Beneath the points', onchange: () => this.dress() },
      [['heat', 'density'], ['tiles', 'decoded images'], ['', 'nothing']].map(([value, text]) => h('option', { value }, text)));
    this.words = h('p', { class: 'quiet explore-axes' });
    this.legend = new Legend((hidden) => this.scatter.setHidden(hidden));
    this.tip = h('div', { class: 'scatter-tip', hidden: true, 'aria-hidden': 'true' });
    this.scatter.pad.append(this.tip);
    this.node = h('section', { class: 'card explore-map', 'aria-label': 'Map' },
      h('div', { class: 'controls' }, this.axes, this.pair, this.turn,
      h('label', {}, 'beneath', this.backdrop)), this.scatter.node, this.words, this.legend.node);
    signal.addEventListener('abort', () => this.close());
  }

  // --- which plane -------------------------------------------------------------------------------------------------------

  /** `maps`: [{id, label}] of finished projections; `encodes`: whether images have codes. The choice stays if it can. */
  offer(d, { encodes, maps, axes }) {
    const wanted = axes ?? this.axes.value;
    const rows = [encodes && ['pca', 'Principal components'], !encodes && ['random', 'Random directions'], ['units', 'Two units'],
      ...maps.map(({ id, label }) => [id, label])].filter(Boolean);
    this.axes.replaceChildren(...rows.map(([value, text]) => h('option', { value }, text)));
    const [i, j] = /^\d+,\d+$/.test(wanted) ? wanted.split(',').map(Number) : [0, Math.min(1, d - 1)];
    const isPair = wanted !== '' && /^\d+,\d+$/.test(wanted) && i < d && j < d;
    if (this.right.length !== d) {
      for (const choice of [this.right, this.up]) choice.replaceChildren(...Array.from({ length: d },
        (_, k) => h('option', { value: k }, `z${k}`)));
      [this.right.value, this.up.value] = [i, j];
    }
    if (isPair) [this.axes.value, this.right.value, this.up.value] = ['units', i, j];
    else if (rows.some(([value]) => value === wanted)) this.axes.value = wanted;
    this.showChoices();
  }

  /** "pca", "0,1", "random", or the id of a projection. */
  get name() {
    return this.axes.value === 'units' ? `${this.right.value},${this.up.value}` : this.axes.value;
  }

  showChoices() {
    show(this.pair, this.axes.value === 'units');
    show(this.turn, this.axes.value === 'random');
  }

  chosen() {
    this.showChoices();
    this.plane = null; // another one: nothing to lie like
    this.scatter.touched = false;
    this.onAxes(this.name);
  }

  otherDirections() {
    this.seed += 1;
    this.chosen();
  }

  /** Codes to lay out: {data, n, d, labels, classes, places (of a projection)}; data is null where images have none. */
  setCodes(codes, z) {
    const before = this.codes;
    this.codes = codes;
    this.z = z;
    const plane = this.makePlane();
    const keep = this.plane !== null && plane.label === this.plane.label && Boolean(before);
    this.plane = plane;
    setText(this.words, `→ ${plane.axes[0]}   ↑ ${plane.axes[1]}`);
    if (codes.classes !== before?.classes || codes.labels !== before?.labels) this.legend.setClasses(codes.classes ?? [], codes.labels);
    this.scatter.setPoints(plane.xy ?? new Float32Array(0), codes.labels, { keep, frame: ROOM });
    this.place = null;
    this.dress();
    this.here(z);
  }

  makePlane() {
    const { data, n, d, places } = this.codes;
    if (this.axes.value === 'units') return unitPlane(data, n, d, Number(this.right.value), Number(this.up.value));
    if (this.axes.value === 'random') return this.plane ?? randomPlane(this.z, normals(this.seed));
    return places ? blendPlane(data, n, d, places, this.axes.value) : principalPlane(data, n, d, this.plane);
  }

  // --- the code on it ----------------------------------------------------------------------------------------------------

  /** Where the code lies; `place`: where the hand is, on a map that has no formula. */
  here(z, place = null) {
    this.z = z;
    this.place = place;
    if (this.plane) this.mark();
  }

  /** [{letter, z}] of what is kept to walk between. */
  setSlots(slots) {
    this.slots = slots;
    if (this.plane) this.mark();
  }

  setOutside(outside) {
    this.outside = outside;
    if (this.plane) this.mark();
  }

  mark() {
    this.at = this.place ?? this.plane.at(this.z);
    this.scatter.setMarks([...this.slots.map(({ letter, z }) => ({ at: this.plane.at(z), kind: 'letter', text: letter })),
      this.hovered >= 0 && { at: [this.plane.xy[2 * this.hovered], this.plane.xy[2 * this.hovered + 1]], kind: 'hover' },
      { at: this.at, kind: this.outside ? 'outside' : 'here' }].filter(Boolean));
  }

  steer(place, phase) {
    if (!this.plane) return;
    this.onMove(this.plane.to(this.z, place), { place: this.plane.blends ? place : null, final: phase === 'end' });
  }

  arrow([dx, dy]) {
    if (!this.plane) return;
    const place = [this.at[0] + dx, this.at[1] + dy];
    this.onMove(this.plane.to(this.z, place), { place: this.plane.blends ? place : null, final: true });
  }

  enter() {
    const i = this.scatter.near(this.at);
    if (i >= 0) this.onPick(i);
  }

  /** `preview(i)`: promise of the point's image, and words. */
  async hover(i, pixel) {
    if (i === this.hovered) return;
    this.hovered = i;
    if (this.plane) this.mark();
    show(this.tip, false);
    if (i < 0 || !this.preview) return;
    const { bitmap, words } = this.preview(i);
    const canvas = h('canvas', { class: 'picture' });
    const image = await bitmap.catch(() => null);
    if (!image || this.hovered !== i) return;
    drawBitmap(canvas, image);
    this.tip.replaceChildren(canvas, h('span', {}, words));
    const [width] = this.scatter.size;
    this.tip.style.setProperty('left', `${Math.min(pixel[0] + 16, width - 120)}px`);
    this.tip.style.setProperty('top', `${Math.max(0, pixel[1] - 100)}px`);
    show(this.tip, true);
  }

  // --- what is beneath ---------------------------------------------------------------------------------------------------

  dress() {
    const tiles = this.backdrop.value === 'tiles';
    this.scatter.setBackdrop({ heat: this.backdrop.value === 'heat', dots: !tiles, tiles: tiles ? this.tiles ?? null : null });
    if (tiles) this.askTiles();
  }

  /** Decoded images over all that is seen, once it is at rest. */
  askTiles(wait = TILES_MS) {
    if (this.backdrop?.value !== 'tiles') return;
    clearTimeout(this.tilesTimer);
    this.tilesTimer = setTimeout(() => this.drawTiles().catch(() => {}), wait);
  }

  async drawTiles() {
    if (!this.plane || !this.model || this.signal.aborted) return;
    const turn = this.tilesTurn = (this.tilesTurn ?? 0) + 1;
    const bounds = this.scatter.shown;
    const [width, height] = this.scatter.size;
    const side = Math.max(width, height) / TILES;
    const [columns, rows] = [Math.round(width / side), Math.round(height / side)];
    const z = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        z.push(this.plane.to(this.z, [bounds.left + ((column + 0.5) / columns) * (bounds.right - bounds.left),
          bounds.top - ((row + 0.5) / rows) * (bounds.top - bounds.bottom)]));
      }
    }
    const { data } = await numbers(`${this.model.path}/decode.npy`, { body: { z }, signal: this.signal });
    if (turn !== this.tilesTurn || this.backdrop.value !== 'tiles') return;
    const canvas = h('canvas');
    drawTiles(canvas, data, this.model.image, z.length, columns);
    this.tiles = { canvas, bounds };
    this.scatter.setBackdrop({ heat: false, dots: false, tiles: this.tiles });
    this.scatter.pad.dataset.tiles = String(z.length);
  }

  close() {
    clearTimeout(this.tilesTimer);
    this.scatter.close();
  }
}

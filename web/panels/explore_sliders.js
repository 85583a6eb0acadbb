// panels/explore_sliders.js: a slider for every unit of the code, in step with the map.

import { h, setText, show, throttled } from '../lib/dom.js';

const FIRST = 24; // shown at once; more are a press away
const SET_MS = 80; // between two looks of the sliders while the hand is elsewhere: painting them costs more than the image
const NOTCH = 0.05; // of a slider's range, for a notch of the wheel

export class Sliders {
  /** onChange(unit, value). */
  constructor(onChange) {
    Object.assign(this, { onChange, units: [], z: null });
    this.ask = throttled(() => this.show(), SET_MS);
    this.list = h('div', { class: 'sliders', tabindex: '0', role: 'group', 'aria-label': 'Latent units' });
    this.more = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.showAll() });
    this.node = h('div', {}, this.list, this.more);
  }

  /** As many as the model has, over what its codes span: {mean, std, q01, q99}, or null. */
  setModel(d, codes) {
    const each = (value) => new Array(d).fill(value);
    this.codes = codes ?? { mean: each(0), std: each(1), q01: each(-2.33), q99: each(2.33) };
    if (this.units.length !== d) this.make(d);
    this.units.forEach((unit, i) => this.range(unit, i, this.z?.[i]));
  }

  make(d) {
    this.z = null;
    this.units = Array.from({ length: d }, (_, i) => this.unit(i));
    this.list.replaceChildren(...this.units.map(({ node }) => node));
    this.units.forEach(({ node }, i) => show(node, i < FIRST));
    show(this.more, d > FIRST);
    setText(this.more, `Show all ${d} units`);
  }

  unit(i) {
    const input = h('input', { type: 'range', step: 'any', 'aria-label': `Latent unit ${i}`,
      oninput: () => this.onChange(i, Number(input.value)),
      ondblclick: () => this.onChange(i, this.codes.mean[i]) });
    input.addEventListener('wheel', (event) => this.onWheel(event, i), { passive: false });
    const output = h('output', { class: 'num' });
    return { input, output, node: h('label', { class: 'slider-row' }, h('span', { class: 'unit' }, `z${i}`), input, output) };
  }

  /** Only where the slider has the focus: the wheel also scrolls the page. */
  onWheel(event, i) {
    const { input } = this.units[i];
    if (document.activeElement !== input) return;
    event.preventDefault();
    this.onChange(i, this.z[i] - Math.sign(event.deltaY) * NOTCH * (input.max - input.min));
  }

  showAll() {
    this.units.forEach(({ node }) => show(node, true));
    show(this.more, false);
    this.show();
  }

  /** Every unit to where it is; the one that is led by hand is there already. */
  set(z) {
    this.z = z;
    this.ask();
  }

  show() {
    if (this.z) this.units.forEach((unit, i) => !unit.node.hidden && this.put(unit, i, this.z[i]));
  }

  /** A code outside of what the images say widens its slider. */
  range(unit, i, value) {
    const { q01, q99 } = this.codes;
    const room = q99[i] > q01[i] ? 0.15 * (q99[i] - q01[i]) : 1; // a unit that always says the same still gets a slider
    unit.min = Math.min(q01[i] - room, value ?? Infinity);
    unit.max = Math.max(q99[i] + room, value ?? -Infinity);
    Object.assign(unit.input, { min: String(unit.min), max: String(unit.max),
      title: `1 to 99 %: ${q01[i].toPrecision(3)} … ${q99[i].toPrecision(3)}. Twice: the mean` });
  }

  put(unit, i, value) {
    if (value < unit.min || value > unit.max) this.range(unit, i, value);
    unit.input.value = String(value);
    const text = value.toFixed(2);
    if (unit.text === text) return;
    unit.text = text;
    setText(unit.output, text);
    unit.input.setAttribute('aria-valuetext', text);
  }
}

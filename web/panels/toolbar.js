// panels/toolbar.js: how the curves of a page look: x axis, smoothing, band, zoom. One for all charts of a group.

import { h, newId, setText, show } from '../lib/dom.js';
import { AXES } from '../lib/group.js';

export class CurveToolbar {
  constructor(group) {
    this.group = group;
    this.node = h('div', { class: 'controls curve-tools', role: 'group', 'aria-label': 'How the curves look' },
      this.axis(), this.smoothing(), this.band(), this.outliers(), this.zoom());
    group.watch(() => this.update());
    this.update();
  }

  axis() {
    const name = newId('axis');
    this.radios = AXES.map((axis) => h('input', { type: 'radio', name, value: axis, onchange: () => this.group.choose({ axis }) }));
    return h('span', { class: 'segments', role: 'radiogroup', 'aria-label': 'x axis' }, this.radios.map((input) => h('label', {}, input, input.value)));
  }

  smoothing() {
    this.weight = h('input', { type: 'range', min: '0', max: '0.99', step: '0.01', class: 'short',
      oninput: () => this.group.choose({ weight: Number(this.weight.value) }) });
    this.weightText = h('output', { class: 'num' });
    return h('label', { title: 'Exponential moving average; the values themselves stay, faintly' }, 'smooth', this.weight, this.weightText);
  }

  band() {
    this.bandBox = h('input', { type: 'checkbox', onchange: () => this.group.choose({ band: this.bandBox.checked }) });
    return h('label', { title: 'Where many steps share a point: from the least to the greatest of them' }, this.bandBox, 'band');
  }

  outliers() {
    this.mostBox = h('input', { type: 'checkbox', onchange: () => this.group.choose({ most: this.mostBox.checked }) });
    return h('label', { title: 'The axis of values is as wide as most of them need: a hundredth of a curve at either end may be beyond it' }, this.mostBox, 'no outliers');
  }

  zoom() {
    const button = (text, label, act) => h('button', { type: 'button', class: 'small', 'aria-label': label, title: `${label}; or drag over a curve`, onclick: act }, text);
    this.closer = button('+', 'Zoom in', () => this.group.zoomBy(0.5));
    this.wider = button('−', 'Zoom out', () => this.group.zoomBy(2));
    this.whole = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.leaveZoom() }, 'Whole run');
    return h('span', { class: 'zoom' }, this.wider, this.closer, this.whole);
  }

  // The button goes; the focus stays beside it.
  leaveZoom() {
    this.closer.focus();
    this.group.setZoom(null);
  }

  update() {
    const { axis, weight, band, most, zoom } = this.group;
    for (const input of this.radios) input.checked = input.value === axis;
    if (Number(this.weight.value) !== weight) this.weight.value = String(weight);
    setText(this.weightText, weight ? weight.toFixed(2) : 'off');
    this.bandBox.checked = band;
    this.mostBox.checked = most;
    this.wider.disabled = zoom === null;
    show(this.whole, zoom !== null);
  }
}

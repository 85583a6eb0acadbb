// lib/marks.js: what happened to a run, as thin upright lines over its curves: edits, alerts, where it was forked or went on. On the
// chart that `told` says a knob at the top of each tells it in words.

import { colour, h } from './dom.js';

const NEAR = 14; // pixels: nearer marks share a knob
// What stands out wins a shared knob.
const COLOURS = { alert: 'bad', edit: 'accent', fork: 'good', run: 'quiet' };

export class Marks {
  constructor(told) {
    this.told = told;
    this.node = h('div', { class: 'marks' });
    this.shown = '';
    this.recolour();
  }

  recolour() {
    this.inks = Object.fromEntries(Object.entries(COLOURS).map(([type, name]) => [type, colour(name)]));
  }

  /** marks: [{type, text, step | at_ms}]; placeOf(mark) → where on the x axis. */
  draw(u, marks, placeOf) {
    const { min, max } = u.scales.x;
    const placed = marks.map((mark) => ({ ...mark, x: placeOf(mark) })).filter(({ x }) => x !== null && x >= min && x <= max);
    for (const mark of placed) this.line(u, mark);
    if (this.told) this.knobs(u, placed);
  }

  line({ ctx, bbox, valToPos }, { x, type }) {
    const at = Math.round(valToPos(x, 'x', true)) + 0.5;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.strokeStyle = this.inks[type];
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
  }

  // Made anew only where they differ: one may have the focus.
  knobs(u, placed) {
    const groups = [];
    for (const mark of placed.sort((a, b) => a.x - b.x)) {
      const left = u.over.offsetLeft + u.valToPos(mark.x, 'x');
      if (groups.length && left - groups.at(-1).left < NEAR) groups.at(-1).marks.push(mark);
      else groups.push({ left, marks: [mark] });
    }
    const shown = JSON.stringify(groups.map(({ marks }) => marks.map(({ text }) => text)));
    if (shown !== this.shown) this.node.replaceChildren(...groups.map(({ marks }) => this.knob(marks)));
    this.shown = shown;
    const wide = u.over.offsetLeft + u.over.clientWidth;
    groups.forEach(({ left }, i) => {
      this.node.children[i].style.setProperty('left', `${left}px`);
      this.node.children[i].classList.toggle('leftwards', left > wide / 2);
    });
  }

  knob(marks) {
    const texts = marks.map(({ text }) => text);
    const type = Object.keys(COLOURS).find((name) => marks.some((mark) => mark.type === name));
    return h('button', { type: 'button', class: `mark ${type}`, 'aria-label': texts.join('; ') },
      h('span', { class: 'tip', 'aria-hidden': 'true' }, texts.map((text) => h('span', {}, text))));
  }
}

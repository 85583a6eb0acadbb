// lib/pins.js: marks above a map: little pictures, drawn once, then only moved. A canvas as large as the map would have to be composed
// anew for each movement of the hand: most of a frame's time where no graphics card helps.

import { h } from './dom.js';

const SIDE = 30; // CSS pixels
const RADIUS = { here: 9, outside: 9, hover: 7, letter: 10 };

function ring(context, radius, width, style) {
  context.lineWidth = width;
  context.strokeStyle = style;
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
  context.stroke();
}

function cross(context, style) {
  context.lineWidth = 1.5;
  context.strokeStyle = style;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(4 * dx, 4 * dy);
    context.lineTo(13 * dx, 13 * dy);
  }
  context.stroke();
}

function letter(context, text, ink) {
  context.fillStyle = ink.card;
  context.beginPath();
  context.arc(0, 0, 9, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = ink.text;
  context.font = '600 12px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, 0, 0.5);
}

function drawPin(canvas, { kind, text }, ink, ratio) {
  canvas.width = canvas.height = SIDE * ratio;
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, (SIDE * ratio) / 2, (SIDE * ratio) / 2);
  ring(context, RADIUS[kind], 5, ink.card);
  ring(context, RADIUS[kind], 2.5, { here: ink.accent, outside: ink.bad }[kind] ?? ink.text);
  if (kind === 'letter') letter(context, text, ink);
  else if (kind !== 'hover') cross(context, ink.text);
}

export class Pins {
  constructor(parent) {
    Object.assign(this, { parent, pool: [], marks: [] });
  }

  /** marks: [{pixel: [x, y], kind: 'here' | 'outside' | 'hover' | 'letter', text}]. */
  set(marks, ink, ratio) {
    while (this.pool.length < marks.length) {
      const canvas = h('canvas', { class: 'scatter-pin', 'aria-hidden': 'true' });
      this.pool.push({ canvas, key: '' });
      this.parent.append(canvas);
    }
    this.marks = marks;
    this.pool.forEach((pin, i) => this.place(pin, marks[i], ink, ratio));
  }

  place(pin, mark, ink, ratio) {
    const { canvas } = pin;
    if (canvas.hidden === Boolean(mark)) canvas.hidden = !mark;
    if (!mark) return;
    const key = [mark.kind, mark.text, ink.text, ratio].join();
    if (key !== pin.key) drawPin(canvas, mark, ink, ratio);
    pin.key = key;
    const [x, y] = mark.pixel;
    canvas.style.setProperty('transform', `translate(${(x - SIDE / 2).toFixed(1)}px, ${(y - SIDE / 2).toFixed(1)}px)`);
  }

  /** Onto a picture of the map, `ratio` pixels a CSS pixel. */
  drawOnto(context, ratio) {
    this.marks.forEach(({ pixel: [x, y] }, i) => context.drawImage(this.pool[i].canvas, (x - SIDE / 2) * ratio, (y - SIDE / 2) * ratio));
  }
}

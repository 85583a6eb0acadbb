// panels/explore_files.js: what is seen, as files, and the request behind it for a terminal.

import { bytesOf, curl, download, hasToken, url } from '../lib/api.js';
import { commandBox, complain, h, save } from '../lib/dom.js';
import { textOf } from '../lib/codes.js';
import { writeNpy } from '../lib/npy.js';

const SCALE = 10; // of saved images: pixels are to be seen

export class FilesPanel {
  /** current() → {model, z}, map() → Scatter, walk() → {path, body} or null. */
  constructor(signal, { current, map, walk }) {
    Object.assign(this, { signal, current, map, walk });
    const button = (text, what) => h('button', { type: 'button', class: 'small', onclick: () => what().catch(complain) }, text);
    this.stripButton = button('strip.png', () => this.strip());
    this.link = (form) => h('a', { href: '#', download: `codes.${form}`, onclick: (event) => this.fetch(event, form) }, `codes.${form}`);
    this.links = ['npy', 'csv'].map((form) => this.link(form));
    this.command = commandBox(() => this.line(), 'command that decodes this code');
    this.way = commandBox(() => this.wayLine(), 'command that walks from A to B');
    this.box = h('details', {}, h('summary', {}, 'Save, or the same from a terminal'),
      h('div', { class: 'controls' }, button('image.png', () => this.image()), this.stripButton,
      button('map.png', async () => save(await this.map().png(), 'map.png')), button('z.npy', async () => this.code('npy')),
        button('z.csv', async () => this.code('csv')), this.links),
      this.command.node, this.way.node);
    this.node = h('section', { class: 'card explore-files', 'aria-label': 'Files' }, this.box);
  }

  /** Each number of a code, short and yet the same one: they are float32. */
  line() {
    const { model, z } = this.current() ?? {};
    return model ? `${curl(`${model.path}/decode.png?scale=${SCALE}`, { z: [z.map((x) => Number(x.toPrecision(9)))] })} -o image.png` : '';
  }

  wayLine() {
    const request = this.walk();
    return request ? `${curl(request.path, request.body)} -o walk.png` : '';
  }

  update() {
    const { model } = this.current();
    this.command.update();
    this.way.update();
    this.way.node.hidden = !this.walk();
    this.links.forEach((link, i) => {
      link.hidden = !model.encodes;
      link.href = url(`${model.path}/latents.${['npy', 'csv'][i]}`);
    });
    this.stripButton.hidden = !this.walk();
  }

  // A plain link cannot bring the token along.
  fetch(event, form) {
    if (!hasToken()) return;
    event.preventDefault();
    download(`${this.current().model.path}/latents.${form}`, `codes.${form}`).catch(complain);
  }

  async image() {
    const { model, z } = this.current();
    const { buffer, epoch } = await bytesOf(`${model.path}/decode.png?scale=${SCALE}`, 'image/png',
      { body: { z: [z] }, signal: this.signal });
    save(new Blob([buffer], { type: 'image/png' }), `${model.id}-epoch-${epoch}.png`);
  }

  async strip() {
    const { path, body } = this.walk();
    const { buffer } = await bytesOf(`${path}?scale=4`, 'image/png', { body, signal: this.signal });
    save(new Blob([buffer], { type: 'image/png' }), 'walk.png');
  }

  code(form) {
    const { z } = this.current();
    save(form === 'npy' ? new Blob([writeNpy([1, z.length], Float32Array.from(z))])
      : new Blob([`${z.map((_, i) => `z${i}`).join(',')}\n${textOf(z)}\n`]), `z.${form}`);
  }
}

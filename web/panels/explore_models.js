// panels/explore_models.js: the models there are to explore, newest first; those that still learn are marked.

import { get } from '../lib/api.js';
import { h, show } from '../lib/dom.js';
import { Picture } from '../lib/picture.js';
import { statusPill } from '../lib/status.js';

const LIST_MS = 5000;
const SAMPLES = 6; // of each, to tell models apart at a glance

export class ModelsPanel {
  constructor(root, { signal, title }) {
    Object.assign(this, { root, signal });
    title('Explore');
    this.list = h('ul', { class: 'explore-models' });
    this.empty = h('section', { class: 'card empty', hidden: true }, h('h2', {}, 'No model can paint yet'),
      h('p', {}, 'Start a run that learns to paint images from codes; it can be explored from its first second on.'),
      h('a', { class: 'button primary control', href: '#/new' }, 'New run'));
    root.replaceChildren(h('h1', {}, 'Explore'), h('p', { class: 'quiet' },
      'Lead the code of a model about and watch the image follow. Runs that still learn can be explored, too.'), this.list, this.empty);
    this.pictures = new Map();
    this.seen = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && this.paint(entry.target)));
    this.timer = setInterval(() => document.visibilityState === 'visible' && this.read().catch(() => {}), LIST_MS);
    signal.addEventListener('abort', () => { clearInterval(this.timer); this.seen.disconnect(); });
  }

  async read() {
    const { data } = await get('v1/models?limit=100', this.signal);
    const models = data.filter(({ abilities }) => abilities.includes('decode'));
    const text = JSON.stringify(models);
    if (text === this.text) return;
    this.text = text;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    this.list.replaceChildren(...models.map((model) => this.row(model)));
    if (focused) [...this.list.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
    show(this.empty, models.length === 0);
  }

  row({ id, name, kind, status, epoch, abilities }) {
    const pill = statusPill();
    pill.set({ status });
    const what = abilities.includes('encode') ? 'images to codes and back' : 'paints from noise';
    return h('li', {}, h('a', { class: 'card', href: `#/explore/${id}` }, h('strong', {}, name || id), pill.node,
      h('span', { class: 'quiet' }, `${kind} · epoch ${epoch} · ${what}`),
      this.pictureOf(id, name || id)));
  }

  pictureOf(id, name) {
    if (!this.pictures.has(id)) {
      const picture = new Picture(`Samples of ${name}`, '');
      this.pictures.set(id, picture);
      picture.node.dataset.model = id;
      this.seen.observe(picture.node);
    }
    return this.pictures.get(id).node;
  }

  /** Once it is in sight: a model that has no weights yet stays without. */
  paint(node) {
    this.seen.unobserve(node);
    const { model } = node.dataset;
    this.pictures.get(model).show(`v1/models/${model}/samples.png?count=${SAMPLES}&cols=${SAMPLES}&seed=1`, node.getAttribute('aria-label'),
      this.signal).catch(() => {});
  }
}

// views/data.js: the data sets there are, what is in them, and a place to drop another one.

import { get, upload } from '../lib/api.js';
import { h, setText, show } from '../lib/dom.js';
import { bytes, count } from '../lib/format.js';
import { missingDataset } from '../lib/missing.js';
import { Picture } from '../lib/picture.js';
import { progressBar } from '../lib/status.js';
import { balanceWords, smallBalance } from '../panels/balance.js';

const SHOWN = 48; // images of each, that many side by side
const COLUMNS = 24;

/** "pets v2.tar.gz" → "pets-v2": what a data set may be called. */
export function nameOf(filename) {
  return filename.replace(/\.(tar\.gz|tgz|tar)$/i, '').replace(/[^\w.-]+/g, '-').replace(/^[.-]+/, '').slice(0, 64);
}

export const typeOf = (filename) => (/gz$/i.test(filename) ? 'application/gzip' : 'application/x-tar');

const shape = (set) => `${set.height} × ${set.width} ${set.channels === 3 ? 'RGB' : 'gray'}`;

class DataView {
  constructor(root, { signal, title }) {
    this.root = root;
    this.signal = signal;
    title('Data');
    this.list = h('div', { class: 'view' });
    this.missing = missingDataset();
    root.replaceChildren(h('div', { class: 'head' }, h('h1', {}, 'Data sets')), this.missing.node, this.list, this.dropZone());
  }

  async open() {
    this.limit = (await get('v1/info', this.signal)).limits.upload_bytes;
    await this.refresh();
  }

  async refresh() {
    const [{ data }] = await Promise.all([get('v1/datasets', this.signal), this.missing.refresh(this.signal)]);
    const none = h('p', { class: 'card quiet' }, 'None yet: drop one below, or put its folder where the daemon looks (--dataset-dir).');
    this.list.replaceChildren(...(data.length ? data.map((set) => this.card(set)) : [none]));
  }

  // --- one ---------------------------------------------------------------------------------------------------------------

  card(set) {
    if (set.error) {
      return h('section', { class: 'card warn', 'aria-label': set.name }, h('h2', {}, set.name), h('p', { class: 'detail' }, set.error));
    }
    const picture = new Picture(`images of ${set.name}`, 'image-strip');
    const columns = Math.min(COLUMNS, set.splits.train);
    const name = encodeURIComponent(set.name);
    picture.show(`v1/datasets/${name}/images.png?split=train&count=${SHOWN}&cols=${columns}&scale=${set.width < 20 ? 2 : 1}`,
      `the first training images of ${set.name}`, this.signal).catch(() => {});
    return h('section', { class: 'card dataset', 'aria-label': set.name },
      h('div', { class: 'head' }, h('h2', {}, h('a', { href: `#/data/${name}` }, set.name)), h('span', { class: 'quiet' },
        `${shape(set)} · ${count(set.splits.train)} to learn from, ${count(set.splits.test)} to test with`)),
      h('p', { class: 'classes' }, h('span', { class: 'quiet' }, `${balanceWords(set.class_counts.train)}: `), set.classes.join(', ')),
      smallBalance(set), picture.node);
  }

  // --- another -----------------------------------------------------------------------------------------------------------

  dropZone() {
    this.file = h('input', { type: 'file', id: 'tar', accept: '.tar,.tgz,.gz,application/x-tar,application/gzip', onchange: () => this.chosen(this.file.files[0]) });
    this.name = h('input', { type: 'text', id: 'tar-name', class: 'short', autocomplete: 'off', spellcheck: 'false' });
    this.send = h('button', { type: 'submit', class: 'primary', disabled: true }, 'Upload');
    this.bar = progressBar('Upload');
    this.state = h('p', { class: 'quiet', role: 'status' });
    this.error = h('p', { class: 'error detail', role: 'alert', hidden: true });
    show(this.bar.node, false);
    const node = h('form', { class: 'card drop control', novalidate: true, onsubmit: (event) => this.submit(event) },
      h('h2', {}, 'Add one'),
      h('p', {}, 'Drop a tar of its folder here (raw or gzip): train/<class>/*.png and test/<class>/*.png, or four IDX files; labels.txt may name the classes.'),
      h('div', { class: 'controls' }, h('label', { for: 'tar' }, 'File ', this.file), h('label', { for: 'tar-name' }, 'Name ', this.name), this.send),
      this.bar.node, this.state, this.error);
    node.addEventListener('dragover', (event) => { event.preventDefault(); node.classList.add('over'); });
    node.addEventListener('dragleave', () => node.classList.remove('over'));
    node.addEventListener('drop', (event) => {
      event.preventDefault();
      node.classList.remove('over');
      this.chosen(event.dataTransfer.files[0]);
    });
    return node;
  }

  chosen(file) {
    if (!file) return;
    this.tar = file;
    this.name.value = nameOf(file.name);
    this.send.disabled = false;
    setText(this.state, `${file.name}, ${bytes(file.size)}`);
    this.say('');
  }

  say(problem) {
    setText(this.error, problem);
    show(this.error, problem !== '');
  }

  async submit(event) {
    event.preventDefault();
    const { tar, name: { value: name } } = this;
    if (tar.size > this.limit) return this.say(`${tar.name} has ${bytes(tar.size)}; ${bytes(this.limit)} is the most.`);
    this.say('');
    this.send.disabled = true;
    show(this.bar.node, true);
    try {
      const set = await upload(`v1/datasets/${encodeURIComponent(name)}`, tar, { type: typeOf(tar.name), signal: this.signal,
        onProgress: (share) => { this.bar.set(share); setText(this.state, share < 1 ? `${Math.floor(100 * share)}% sent` : 'being unpacked and read'); } });
      setText(this.state, `${set.name} is there: ${count(set.images)} images of ${shape(set)}.`);
      await this.refresh();
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      setText(this.state, '');
      this.say(problem.message);
    } finally {
      show(this.bar.node, false);
      this.bar.set(0);
      this.send.disabled = false;
    }
  }
}

export function view(root, context) {
  return new DataView(root, context).open();
}

// views/dataset.js: one data set: what it is, how its classes are balanced, its images, and the runs that learnt from it.

import { get, remove } from '../lib/api.js';
import { action } from '../lib/action.js';
import { complain, copy, dialog, h, setText, toast } from '../lib/dom.js';
import { count, loss } from '../lib/format.js';
import { statusPill } from '../lib/status.js';
import { balanceTable, balanceWords } from '../panels/balance.js';
import { ImageBrowser } from '../panels/browser.js';

const RUNS = 20;

const shape = (set) => `${set.height} × ${set.width} ${set.channels === 3 ? 'RGB' : 'gray'}`;
const fact = (name, ...value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

/** Asks, and deletes. True: it is gone. */
async function dropDataset(set, signal) {
  const answer = await dialog(signal, h('h2', {}, `Delete the data set ${set.name}?`),
    h('p', {}, 'Its files go. Runs that learnt from it stay, but cannot be taken up again with it.'),
    h('div', { class: 'actions' }, h('button', { value: '', autofocus: true }, 'Keep it'),
      h('button', { value: 'delete', class: 'danger' }, 'Delete the data set')));
  if (answer !== 'delete') return false;
  return remove(`v1/datasets/${encodeURIComponent(set.name)}`).then(() => { toast(`${set.name} is gone`); return true; }, (problem) => { complain(problem); return false; });
}

class DatasetView {
  constructor(root, { id, query, signal, title, keys }) {
    Object.assign(this, { root, name: id, signal, query });
    title(id);
    keys({ ArrowLeft: () => this.images?.turn(-1), ArrowRight: () => this.images?.turn(1) },
      [['← →', 'page before, next page'], ['Tab, then arrows', 'from image to image']]);
  }

  async open() {
    this.set = await get(`v1/datasets/${encodeURIComponent(this.name)}`, this.signal);
    const { set, query } = this;
    const cls = set.classes.indexOf(query.get('class'));
    this.images = new ImageBrowser(set, { signal: this.signal, onPlace: (place) => this.remember(place),
      place: { split: query.get('split'), cls: cls < 0 ? null : cls, page: Math.max(0, (Number(query.get('page')) || 1) - 1) } });
    this.root.replaceChildren(this.head(), this.facts(), this.balance(), this.images.node, this.runs());
  }

  // The address keeps the place, without a step in the history for each page turned.
  remember({ split, cls, page }) {
    const query = new URLSearchParams({ split, ...(cls !== null && { class: this.set.classes[cls] }), ...(page && { page: page + 1 }) });
    history.replaceState(null, '', `#/data/${encodeURIComponent(this.name)}?${query}`);
  }

  head() {
    const { set } = this;
    const drop = action({ text: 'Delete', cls: 'danger', request: () => ({ path: `v1/datasets/${encodeURIComponent(set.name)}`, method: 'DELETE' }),
      onclick: async () => { if (await dropDataset(set, this.signal)) location.hash = '#/data'; } });
    return h('div', { class: 'head' }, h('h1', {}, set.name), h('a', { href: '#/data' }, 'All data sets'),
      h('span', { class: 'actions' }, h('a', { class: 'button primary control', href: `#/new?dataset=${encodeURIComponent(set.name)}` }, 'New run with it'),
        set.uploaded && drop.node));
  }

  facts() {
    const { set } = this;
    const sum = set.sha256 && h('button', { type: 'button', class: 'link', 'aria-label': `Copy the SHA-256 ${set.sha256}`, onclick: () => copy(set.sha256) },
      `${set.sha256.slice(0, 12)}…`);
    return h('dl', { class: 'card facts' }, fact('images', count(set.images)), fact('size', shape(set)), fact('to learn from', count(set.splits.train)),
      fact('to test with', count(set.splits.test)), fact('classes', count(set.classes.length)), sum && fact('sha256', sum),
      fact('lies in', h('code', { class: 'path' }, set.path)));
  }

  balance() {
    const choose = (cls) => {
      this.images.go({ cls, page: 0 });
      this.images.node.scrollIntoView({ block: 'start' });
      this.images.cls.focus({ preventScroll: true });
    };
    return h('section', { class: 'card', 'aria-label': 'Classes' }, h('div', { class: 'head' }, h('h2', {}, 'Classes'),
      h('span', { class: 'quiet' }, balanceWords(this.set.class_counts.train))), balanceTable(this.set, choose));
  }

  runs() {
    const state = h('p', { class: 'quiet', role: 'status' }, 'Looking for them …');
    const list = h('ul', { class: 'runs-of' });
    const node = h('section', { class: 'card', 'aria-label': 'Runs' }, h('h2', {}, 'Runs that use it'), state, list);
    const load = async () => {
      const { data, has_more: more } = await get(`v1/jobs?dataset=${encodeURIComponent(this.name)}&limit=${RUNS}`, this.signal);
      list.replaceChildren(...data.map(runLine));
      setText(state, data.length ? (more ? `The newest ${RUNS}.` : '') : 'None yet.');
    };
    load().catch((problem) => {
      if (problem.name === 'AbortError') return;
      state.replaceChildren(`They cannot be listed: ${problem.message} `, h('button', { type: 'button', class: 'small', onclick: () => load().catch(complain) }, 'Try again'));
    });
    return node;
  }
}

function runLine(job) {
  const pill = statusPill();
  pill.set(job);
  return h('li', {}, h('a', { href: `#/runs/${job.id}` }, job.name ?? job.id), h('span', { class: 'quiet' }, job.kind), pill.node,
    job.best && h('span', { class: 'num quiet' }, `${job.best.metric} ${loss(job.best.value)}`));
}

export function view(root, context) {
  return new DatasetView(root, context).open();
}

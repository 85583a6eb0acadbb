// panels/files.js: what there is of a run to take away, and the lines that do the same in a terminal.

import { curl, download, hasToken, url } from '../lib/api.js';
import { commandBox, complain, h, newId, show } from '../lib/dom.js';
import { request } from '../lib/request.js';

/** A link to a file of the daemon. A plain one cannot bring the token along. */
export function fileLink(text, path, filename, more = {}) {
  const fetchIt = (event) => {
    if (!hasToken()) return;
    event.preventDefault();
    download(path, filename).catch(complain);
  };
  return h('a', { href: url(path), download: filename, onclick: fetchIt, ...more }, text);
}

export class FilesPanel {
  constructor(job, kind, path) {
    Object.assign(this, { job, kind, path });
    this.repeat = commandBox(() => curl('v1/jobs', request(this.kind, { ...this.job, name: '' })), 'command that repeats this run');
    const id = newId('files');
    this.node = h('section', { class: 'card files-panel', 'aria-labelledby': id }, h('h2', { id }, 'Files'), this.links(),
      h('h3', {}, 'The same run from a terminal'), this.repeat.node,
      h('p', { class: 'control' }, h('a', { href: `#/new/${job.kind}?like=${job.id}` }, 'Open it in the form')),
      h('h3', {}, 'Watch it there'), commandBox(() => curl(`${this.path}/events.txt`).replace('curl', 'curl -N'), 'command that follows this run').node);
  }

  links() {
    const { id } = this.job;
    const { abilities, results } = this.kind;
    const of = (what, ending, path = `${this.path}/${what}.${ending}`) => fileLink(`${what}.${ending}`, path, `${id}-${what}.${ending}`);
    // They lead nowhere before there are weights.
    this.ofWeights = [
      fileLink('weights', `v1/models/${id}/weights`, `${id}.safetensors`),
      fileLink('pytorch.py', `v1/models/${id}/pytorch.py`, 'pytorch.py'),
      ...(abilities.includes('encode') ? ['csv', 'npy'].map((form) => of('codes', form, `v1/models/${id}/latents.${form}`)) : []),
    ];
    this.setWeights(false);
    this.timelapse = of('timelapse', 'png'); // of previews, once there are some
    return h('p', { class: 'links' }, this.ofWeights, this.timelapse, fileLink('metrics.csv', `${this.path}/metrics.csv`, `${id}.csv`),
      fileLink('curves.svg', `${this.path}/curves.svg`, `${id}.svg`),
      results.includes('projection') && ['png', 'csv', 'npy'].map((form) => of('projection', form)),
      abilities.includes('classify') && ['png', 'csv'].map((form) => of('confusion', form)), fileLink('job.json', this.path, `${id}.json`),
      fileLink('bundle.tar', `${this.path}/bundle.tar`, `${id}.tar`));
  }

  setWeights(there) {
    this.ofWeights.forEach((link) => show(link, there));
  }

  setPreviews(there) {
    show(this.timelapse, there);
  }

  update(job) {
    this.job = job;
    this.repeat.update();
  }
}

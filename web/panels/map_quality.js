// panels/map_quality.js: how far a map is to be believed, in figures, each with what it means.

import { h, setText, show } from '../lib/dom.js';
import { count, loss } from '../lib/format.js';

const share = (value) => (typeof value === 'number' ? `${(100 * value).toFixed(1)} %` : '–');
const byNeighbours = (values) => Object.entries(values ?? {}).map(([k, value]) => `${share(value)} (${k})`).join(' · ');

/** [what, figure, what it means] of what GET …/projection tells. */
function figuresOf({ quality, kl_divergence: kl, explained_variance_ratio: ratio }) {
  const rows = [];
  if (ratio?.length) {
    rows.push(['variance shown', share(ratio.slice(0, 2).reduce((a, b) => a + b, 0)),
      `By component: ${ratio.map(share).join(', ')}. The rest of what tells the points apart is not on the map.`]);
  }
  if (typeof kl === 'number') rows.push(['KL divergence', loss(kl),
    'How much neighbourhoods on the map differ from the true ones, in nats. Compare it with maps of as many points only.']);
  if (!quality) return rows;
  return rows.concat([
    ['trustworthiness', byNeighbours(quality.trustworthiness),
      'Falls with strangers that the map puts side by side. In brackets: among so many neighbours.'],
    ['continuity', byNeighbours(quality.continuity), 'Falls with neighbours that the map tears apart.'],
    ['neighbours kept', share(quality.knn_recall), 'Of the 10 nearest of a point, so many are among its 10 nearest on the map.'],
    ['classes kept', share(quality.knn_accuracy), 'So many points have the class that most of their 10 nearest on the map have.'],
  ]);
}

export class QualityPanel {
  constructor() {
    this.list = h('dl', { class: 'map-quality' });
    this.measured = h('p', { class: 'hint' });
    this.node = h('section', { class: 'card', 'aria-labelledby': 'quality-title', hidden: true },
      h('h2', { id: 'quality-title' }, 'How good it is'), this.list, this.measured);
  }

  set(facts) {
    const rows = figuresOf(facts);
    show(this.node, rows.length > 0);
    this.list.replaceChildren(...rows.map(([name, value, help]) => h('div', {}, h('dt', {}, name), h('dd', { class: 'num' }, value),
      h('dd', { class: 'hint' }, help))));
    const { points, dims } = facts.quality ?? {};
    setText(this.measured, points ? `Measured on ${count(points)} points, against their ${dims} numbers.` : '');
  }
}

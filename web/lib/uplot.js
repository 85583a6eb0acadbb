// lib/uplot.js: uPlot, fetched with the first chart. It is a classic script: its small build comes as no module.

import { h } from './dom.js';

const HOME = new URL('../vendor/uPlot-1.6.32/', import.meta.url).href;

const loaded = (node) => new Promise((resolve, reject) => {
  node.addEventListener('load', resolve);
  node.addEventListener('error', () => reject(new Error('the charts cannot be loaded')));
  document.head.append(node);
});

await Promise.all([loaded(h('script', { src: `${HOME}uPlot.iife.min.js` })),
  loaded(h('link', { rel: 'stylesheet', href: `${HOME}uPlot.min.css` }))]);
export default globalThis.uPlot;

// lib/save_svg.js: a chart of the page as a file: SVG with its colours written into it, or PNG at twice its size.

import { h, save } from './dom.js';

const WRITTEN = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-opacity', 'fill-opacity', 'opacity', 'font-family',
  'font-size',
  'font-weight', 'text-anchor', 'dominant-baseline'];

/** The sheets of the page stay behind, so what they say is written at each element. */
function copyOf(node) {
  const copy = node.cloneNode(true);
  const [from, to] = [[node, ...node.querySelectorAll('*')], [copy, ...copy.querySelectorAll('*')]];
  from.forEach((one, i) => {
    const style = getComputedStyle(one);
    for (const name of WRITTEN) to[i].setAttribute(name, style.getPropertyValue(name));
    to[i].removeAttribute('class');
    if (style.display === 'none' || style.visibility === 'hidden') to[i].setAttribute('display', 'none');
  });
  return copy;
}

function svgText(node) {
  const { width, height } = node.getBoundingClientRect();
  const copy = copyOf(node);
  for (const [name, value] of [['xmlns', 'http://www.w3.org/2000/svg'], ['width', width], ['height', height]]) copy.setAttribute(name,
    String(value));
  const paper = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  const fill = getComputedStyle(node.closest('.card') ?? document.body).backgroundColor;
  for (const [name, value] of [['width', '100%'], ['height', '100%'], ['fill', fill]]) paper.setAttribute(name, value);
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}

async function pngOf(node) {
  const { width, height } = node.getBoundingClientRect();
  const href = URL.createObjectURL(new Blob([svgText(node)], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = href;
    await image.decode();
    const canvas = h('canvas', { width: String(Math.ceil(2 * width)), height: String(Math.ceil(2 * height)) });
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => { canvas.toBlob(resolve, 'image/png'); });
  } finally {
    URL.revokeObjectURL(href);
  }
}

/** Buttons that save what `svg()` gives then as `name`.svg and .png. */
export function saveButtons(svg, name) {
  const button = (form, make) => h('button', { type: 'button', class: 'small ghost', 'aria-label': `Save ${name} as ${form}`,
    onclick: async () => save(await make(svg()), `${name}.${form.toLowerCase()}`) }, form);
  return h('span', { class: 'save' }, button('SVG', async (node) => new Blob([svgText(node)], { type: 'image/svg+xml' })),
    button('PNG', pngOf));
}

// lib/pager.js: which of many images a page shows. Pure.

/** How many columns and rows of images fit a page that is so wide. */
export function layout(width) {
  if (width < 520) return { cols: 8, rows: 10 };
  return width < 900 ? { cols: 14, rows: 7 } : { cols: 20, rows: 5 };
}

/** Page `page` of `total`, held within what there is: {page, pages, first, last}; first and last count from 0, last is behind. */
export function span(page, size, total) {
  const pages = Math.max(1, Math.ceil(total / size));
  const held = Math.min(Math.max(0, page), pages - 1);
  return { page: held, pages, first: held * size, last: Math.min(total, (held + 1) * size) };
}

/** Where the images of one class are. */
export function indicesOf(labels, wanted) {
  const found = [];
  labels.forEach((label, i) => { if (label === wanted) found.push(i); });
  return found;
}

/** The cell that an arrow key leads to from `cell`, of `shown` cells in rows of `cols`; null: out of the page. */
export function moved(cell, key, cols, shown) {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -cols, ArrowDown: cols }[key];
  if (by === undefined) return cell;
  const to = cell + by;
  return to < 0 || to >= shown ? null : to;
}

// lib/axes.js: which curves of a kind share a chart. Pure functions of the rows that GET /v1/kinds/{kind} tells.

const HOUSEKEEPING = ['lr', 'samples_per_s', 'sparsity', 'loss_before_prune', 'loss_after_prune']; // every kind has them, and they share no axis with a loss
const BOUNDED = ['share', 'probability']; // 0 to 1: seen as they are, not as their logarithms

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** What the curves of a chart are: what their names end with (of those that stand for a run, the first one's), or their unit. */
function titleOf([first, ...others]) {
  const end = ({ name }) => name.split('_').at(-1);
  if (!others.length) return first.name;
  return capital(first.headline || others.every((row) => end(row) === end(first)) ? end(first) : first.unit ?? '');
}

/** Charts, those with what stands for a run first: {title, rows, log, small}. Curves of one unit share one; one that is alone and
 * stands for nothing is small. Counts and the curves of single units are for the panel of units, those of classes for theirs. */
export function chartsOf(kind) {
  const byUnit = new Map();
  for (const row of kind.series) {
    if (HOUSEKEEPING.includes(row.name) || row.per_unit || row.per_class || row.unit === 'units') continue;
    if (!byUnit.has(row.unit)) byUnit.set(row.unit, []);
    byUnit.get(row.unit).push(row);
  }
  const charts = [...byUnit].map(([unit, rows]) => ({ title: titleOf(rows), rows, log: !BOUNDED.includes(unit),
    small: rows.length === 1 && !rows[0].headline }));
  const told = ({ rows }) => (rows.some((row) => row.headline) ? 0 : 1);
  return charts.sort((a, b) => told(a) - told(b));
}

/** Charts of what every kind has beside its losses, one for each that is drawn at all. */
export const housekeepingOf = (kind) => kind.series.filter(({ name }) => HOUSEKEEPING.includes(name))
  .map((row) => ({ title: row.name, rows: [row], log: false, small: true }));

/** The row of curves that there is one of for every class; undefined: the kind has none. */
export const sharesOf = (kind) => kind.series.find((row) => row.per_class);

/** The rows of its chart, with the names of the classes for a legend. */
export const classRows = (row, classes) => classes.map((label, i) => ({ ...row, name: `${row.name}_${i}`, label }));

const HAIR = 1e-6; // of the largest value: as much below 0 is a rounding

/** A logarithm has no place for them. */
export function hasNegative(rows, series) {
  const values = rows.flatMap(({ name }) => series[name]?.value ?? []);
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b ?? 0)), 0);
  return values.some((value) => value < -HAIR * most);
}

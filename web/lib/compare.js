// lib/compare.js: what runs beside each other have in common, and in what they differ. Pure functions.

import { emptySeries } from './curve.js';
import { same } from './request.js';
import { moreIsBetter } from './table.js';

/** How a run is drawn: ten colours, then the same ones dashed. `slots` remembers who has which, so that nobody changes its colour
 * when another goes. */
export function slotOf(slots, id) {
  if (!slots.has(id)) {
    const taken = new Set(slots.values());
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    slots.set(id, slot);
  }
  return slots.get(id);
}

/** The series that at least two of the runs draw (one of a single run), those that stand for a run first: rows of their kinds. */
export function sharedSeries(jobs, kinds) {
  const rows = new Map();
  const count = new Map();
  for (const job of jobs) {
    for (const row of kinds.get(job.kind)?.series ?? []) {
      if (row.per_unit || row.per_class) continue;
      rows.set(row.name, { ...row, headline: row.headline || Boolean(rows.get(row.name)?.headline) });
      count.set(row.name, (count.get(row.name) ?? 0) + 1);
    }
  }
  const shared = [...rows.values()].filter(({ name }) => count.get(name) >= Math.min(2, jobs.length));
  return shared.sort((a, b) => Number(b.headline) - Number(a.headline));
}

const nameIn = (jobs, id) => jobs.find((job) => job.id === id)?.name || id;
const listed = (jobs, valueOf) => jobs.map((job) => valueOf(job) ?? null);

/** Rows of a table, a value a run: {name, values, differs}. What belongs to the job stands before its parameters. */
export function differences(jobs) {
  const common = [['kind', (job) => job.kind], ['preset', (job) => job.preset], ['dataset', (job) => job.dataset],
    ['seed', (job) => job.seed],
    ['from', (job) => job.from && `${nameIn(jobs, job.from.job)}@${job.from.checkpoint}`]];
  const names = [...new Set(jobs.flatMap((job) => Object.keys(job.params ?? {})))];
  const rows = [...common, ...names.map((name) => [name, (job) => job.params?.[name]])];
  return rows.map(([name, valueOf]) => {
    const values = listed(jobs, valueOf);
    return { name, values, differs: values.some((value) => !same(value, values[0])) };
  });
}

/** What came of them: {name, values, best: indices of the best ones}. */
export function outcomes(jobs) {
  const metrics = [...new Set(jobs.flatMap((job) => (job.best?.metric ? [job.best.metric] : [])))];
  const tested = ({ test }) => Object.keys(test ?? {}).filter((name) => typeof test[name] === 'number');
  const tests = [...new Set(jobs.flatMap(tested))];
  const rows = [
    ...metrics.map((metric) => [`best ${metric}`, metric, (job) => (job.best?.metric === metric ? job.best.value : null)]),
    ...tests.map((name) => [`test ${name}`, name, (job) => job.test?.[name]]),
    ['trained for', 'time', (job) => job.lineage_train_s || job.train_s || null], // with what it goes on from
  ];
  return rows.map(([name, metric, valueOf]) => {
    const values = listed(jobs, valueOf);
    return { name, metric, values, best: bestIndices(values, metric) };
  });
}

/** Which are best, where there is a choice at all. */
export function bestIndices(values, metric) {
  const known = values.filter((value) => typeof value === 'number');
  if (known.length < 2) return [];
  const best = (moreIsBetter(metric) ? Math.max : Math.min)(...known);
  return known.every((value) => value === best) ? [] : values.flatMap((value, i) => (value === best ? [i] : []));
}

/** Runs that differ in their seed only, two or more together: lists of jobs. */
export function repeatsOf(jobs) {
  const groups = new Map();
  for (const job of jobs) {
    const key = JSON.stringify([job.kind, job.dataset, job.params, job.from ?? null]);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(job);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** A column at `step`, straight between its points; null beyond its ends. `hint.i`: where to begin looking, moved on. */
function valueAt(series, step, hint) {
  const { step: steps, value } = series;
  while (hint.i < steps.length && steps[hint.i] < step) hint.i += 1;
  const { i } = hint;
  if (i >= steps.length || (i === 0 && steps[0] > step)) return null;
  if (steps[i] === step) return value[i];
  const [a, b] = [value[i - 1], value[i]];
  if (a === null || b === null) return null;
  return a + ((step - steps[i - 1]) / (steps[i] - steps[i - 1])) * (b - a);
}

function spread(values, way) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (way !== 'sd') return [mean, Math.min(...values), Math.max(...values)];
  const sd = values.length > 1 ? Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)) : 0;
  return [mean, mean - sd, mean + sd];
}

/** Curves of repeats as one: their mean, with the least and the greatest of them (`range`) or one standard deviation (`sd`) around it. */
export function meanOf(all, way = 'range') {
  const known = all.filter((series) => series?.step.length);
  const out = emptySeries();
  if (!known.length) return out;
  const lead = known.reduce((a, b) => (b.step.length > a.step.length ? b : a));
  const hints = known.map(() => ({ i: 0 }));
  lead.step.forEach((step, i) => {
    const values = known.map((series, k) => valueAt(series, step, hints[k])).filter((value) => value !== null);
    const [mean, low, high] = values.length ? spread(values, way) : [null, null, null];
    const point = { step, epoch: lead.epoch[i], time_ms: lead.time_ms[i], value: mean, min: low, max: high };
    for (const [key, value] of Object.entries(point)) out[key].push(value);
  });
  return out;
}

/** The run among `jobs` that this one is a fork of, and the epoch it left it at; null: none of them. */
export function branchOf(job, jobs) {
  const { from } = job;
  const parent = from && jobs.find(({ id, kind }) => id === from.job && kind === job.kind);
  return parent ? { parent, epoch: Number(from.checkpoint) || 0 } : null;
}

/** A fork's curve from where it left its parent on; what came before is the parent's. */
export function branched(series, epoch) {
  const first = series.epoch.findIndex((place) => place >= epoch - 1e-9);
  if (first <= 0) return first < 0 ? emptySeries() : series;
  return Object.fromEntries(Object.entries(series).map(([key, column]) => [key, column.slice(first)]));
}

/** Of epochs that there are pictures of (rising) the one that is shown at `epoch`: itself, or the nearest before it; null: none yet. */
export function epochShown(epochs, epoch) {
  let shown = null;
  for (const each of epochs) if (each <= epoch) shown = each;
  return shown;
}

const cell = (value) => (value === null || value === undefined ? '' : String(value));
const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The tables as a file: a column a run. */
export function tableCsv(names, rows) {
  const text = (value) => (value !== null && typeof value === 'object' ? JSON.stringify(value) : cell(value));
  const lines = [['', ...names], ...rows.map(({ name, values }) => [name, ...values.map(text)])];
  return `${lines.map((row) => row.map(quoted).join(',')).join('\n')}\n`;
}

// lib/trials.js: what the trials of a study say: their axes, who is best, which ones a choice leaves. Pure functions of the rows of
// GET /v1/jobs/{job}/trials and of the space that the study was asked for with.

const FEW = 12; // different values that are named one by one on an axis

export const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
export const signOf = (direction) => (direction === 'maximize' ? -1 : 1);
const text = (value) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value));

/** A bound of the space as it is given, or what the trials had where it hangs on another parameter. */
const bound = (given, seen, pick) => (isNumber(given) ? given : seen.length ? pick(...seen) : 0);

/** One axis: {name, choices} of values named one by one, or {name, low, high, log, whole}: whole numbers only. */
function axisOf(name, row, values) {
  const listed = row?.values ?? (row?.variants && Object.keys(row.variants)) ?? null;
  const numbers = values.filter(isNumber);
  if (listed || numbers.length < values.length) return { name, choices: [...new Set([...(listed ?? []), ...values].map(text))] };
  const low = Math.min(bound(row?.low, numbers, Math.min), ...numbers);
  const high = Math.max(bound(row?.high, numbers, Math.max), ...numbers);
  const log = Boolean(row?.log) && low > 0;
  const whole = [low, high, ...numbers].every(Number.isInteger);
  return { name, low, high: high > low ? high : low + (whole ? 1 : Math.abs(low) * 0.1 || 1), log, whole };
}

/** An axis for each name of the space, in its order. */
export function axesOf(names, space, trials) {
  const present = (name) => trials.map((trial) => trial.params[name]).filter((value) => value !== undefined && value !== null);
  return names.map((name) => axisOf(name, space?.[name], present(name)));
}

/** The axis of what the trials are judged by: logarithmic where values differ by more than a factor of five. One that went astray does
 * not press all others together: it stands at the end. */
export function valueAxis(name, trials) {
  const values = trials.map(({ value }) => value).filter(isNumber).sort((a, b) => a - b);
  if (!values.length) return { name, low: 0, high: 1, log: false };
  const [low, high] = [values[0], values.at(-1)];
  return { name, low, high: high > low ? high : low + (Math.abs(low) * 0.1 || 1), log: low > 0 && high / low > 5 };
}

/** Where a value stands on its axis, 0 … 1; null: it has none. */
export function place(axis, value) {
  if (value === undefined || value === null) return null;
  if (axis.choices) {
    const i = axis.choices.indexOf(text(value));
    return i < 0 ? null : (i + 0.5) / axis.choices.length;
  }
  if (!isNumber(value)) return null;
  const at = axis.log ? (v) => Math.log(v) : (v) => v;
  return (at(value) - at(axis.low)) / (at(axis.high) - at(axis.low));
}

/** The value at a place: the other way round. */
export function valueAt(axis, share) {
  if (axis.choices) return axis.choices[Math.min(axis.choices.length - 1, Math.max(0, Math.floor(share * axis.choices.length)))];
  if (!axis.log) return axis.low + share * (axis.high - axis.low);
  return Math.exp(Math.log(axis.low) + share * (Math.log(axis.high) - Math.log(axis.low)));
}

/** What a trial has on an axis: one of its parameters, or its value. */
export const onAxis = (trial, axis, value) => (axis === value ? trial.value : trial.params[axis.name]);

/** Trials that lie within every brush, {axis name: [low, high]} in places; one that has no place on a brushed axis does not. */
export function within(trials, axes, value, brushes) {
  const wanted = [...axes, value].filter((axis) => brushes[axis.name]);
  return trials.filter((trial) => wanted.every((axis) => {
    const at = place(axis, onAxis(trial, axis, value));
    const [low, high] = brushes[axis.name];
    return at !== null && at >= low - 1e-9 && at <= high + 1e-9;
  }));
}

/** The best value up to and with each trial, null before there is one. Only complete trials count. */
export function bestSoFar(trials, direction) {
  const sign = signOf(direction);
  let best = null;
  return trials.map(({ state, value }) => {
    if (state === 'complete' && isNumber(value) && (best === null || sign * value < sign * best)) best = value;
    return best;
  });
}

/** How many there are of each state, in the order in which they come. */
export function states(trials) {
  const counts = new Map();
  for (const { state } of trials) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** Trials that are the same but for the seed: [{key, trials, params, seeds, mean, sd, low, high}], the best mean first. */
export function repeats(trials, direction) {
  const groups = new Map();
  for (const trial of trials) {
    const { seed: _, ...params } = trial.params;
    const key = trial.phase === 'retrain' ? `of ${trial.of}` : JSON.stringify(params);
    if (!groups.has(key)) groups.set(key, { key, params, trials: [], retrained: trial.phase === 'retrain' });
    groups.get(key).trials.push(trial);
  }
  const sign = signOf(direction);
  const worth = ({ mean }) => (mean === null ? Infinity : sign * mean);
  return [...groups.values()].map((group) => ({ ...group, ...moments(group.trials.map(({ value }) => value).filter(isNumber)) }))
    .sort((a, b) => worth(a) - worth(b));
}

/** Mean, deviation of a sample, range. */
export function moments(values) {
  if (!values.length) return { n: 0, mean: null, sd: null, low: null, high: null };
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const sd = values.length > 1 ? Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1)) : null;
  return { n: values.length, mean, sd, low: Math.min(...values), high: Math.max(...values) };
}

/** Of curves {epoch[], value[]}: where more than one has a point, {epoch, mean, low, high, n}: mean ± one deviation. */
export function band(curves) {
  const at = new Map();
  for (const { epoch, value } of curves) {
    epoch.forEach((e, i) => {
      if (!isNumber(value[i])) return;
      if (!at.has(e)) at.set(e, []);
      at.get(e).push(value[i]);
    });
  }
  return [...at].sort(([a], [b]) => a - b).map(([epoch, values]) => {
    const { mean, sd, n } = moments(values);
    return { epoch, mean, low: mean - (sd ?? 0), high: mean + (sd ?? 0), n };
  });
}

/** Why trials were not trained, the commonest first: [[reason, trials]]. */
export function reasons(trials) {
  const groups = new Map();
  for (const trial of trials.filter(({ reason }) => reason)) {
    if (!groups.has(trial.reason)) groups.set(trial.reason, []);
    groups.get(trial.reason).push(trial);
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

/** Sorted by a column: number, state, value or a name of the space; what has nothing there comes last, either way. */
export function sorted(trials, { by, down }) {
  const of = (trial) => (by in trial && by !== 'params' ? trial[by] : trial.params[by]);
  const way = down ? -1 : 1;
  return [...trials].sort((a, b) => {
    const [x, y] = [of(a) ?? null, of(b) ?? null];
    if (x === null || y === null) return (x === null) - (y === null) || a.number - b.number;
    return way * (isNumber(x) && isNumber(y) ? x - y : text(x).localeCompare(text(y))) || a.number - b.number;
  });
}

/** Names that are worth an axis: those in which trials differ, unless none do. */
export function telling(axes) {
  const many = axes.filter((axis) => !axis.choices || axis.choices.length > 1);
  return many.length ? many : axes;
}

export const few = (axis) => !axis.choices || axis.choices.length <= FEW;

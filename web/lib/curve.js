// lib/curve.js: the points of a job's series, from the metrics columns and from the event stream. Pure functions.

export const emptySeries = () => ({ step: [], epoch: [], value: [], min: [], max: [] });

/** Adds a point of the stream; one that is there already (same step or earlier) is left out. */
export function addPoint(series, { step, epoch, value }) {
  if (series.step.length && step <= series.step.at(-1)) return false;
  series.step.push(step);
  series.epoch.push(epoch);
  for (const column of [series.value, series.min, series.max]) column.push(value);
  return true;
}

/** Freshly read columns, followed by the streamed points that are newer. */
export function refreshed(read, streamed) {
  const series = emptySeries();
  for (const key of Object.keys(series)) series[key] = [...(read?.[key] ?? [])];
  const last = series.step.at(-1) ?? -1;
  (streamed?.step ?? []).forEach((step, i) => {
    if (step > last) addPoint(series, { step, epoch: streamed.epoch[i], value: streamed.value[i] });
  });
  return series;
}

/** Series with steps of their own → one row per step: {step, epoch, columns: {name: {value, min, max}}}, null in gaps. */
export function align(all) {
  const epochOf = new Map();
  for (const series of Object.values(all)) series.step.forEach((step, i) => epochOf.set(step, series.epoch[i]));
  const step = [...epochOf.keys()].sort((a, b) => a - b);
  const row = new Map(step.map((s, i) => [s, i]));
  const columns = {};
  for (const [name, series] of Object.entries(all)) {
    const column = (from) => {
      const out = new Array(step.length).fill(null);
      series.step.forEach((s, i) => { out[row.get(s)] = from[i]; });
      return out;
    };
    columns[name] = { value: column(series.value), min: column(series.min), max: column(series.max) };
  }
  return { step, epoch: step.map((s) => epochOf.get(s)), columns };
}

/** Exponential moving average that starts unbiased; weight 0 leaves the values as they are, gaps stay gaps. */
export function smooth(values, weight) {
  if (!weight) return values;
  let sum = 0;
  let total = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + value;
    total = total * weight + 1;
    return sum / total;
  });
}

/** Points of an SVG polyline over a w × h box: the newest value at the right edge. */
export function sparkline(values, w, h) {
  const known = values.filter((value) => value !== null && value > 0).map(Math.log);
  if (known.length < 2) return '';
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const span = high - low || 1;
  return known.map((value, i) => {
    const x = (i / (known.length - 1)) * w;
    const y = h - 1.5 - ((value - low) / span) * (h - 3);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  }).join(' ');
}

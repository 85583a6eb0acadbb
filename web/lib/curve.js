// lib/curve.js: the points of a job's series, from the metrics columns and from the event stream. Pure functions.

export const emptySeries = () => ({ step: [], epoch: [], time_ms: [], value: [], min: [], max: [] });

/** Adds a point of the stream; one that is there already (same step or earlier) is left out. */
export function addPoint(series, { step, epoch, value, at_ms: at = null }) {
  if (series.step.length && step <= series.step.at(-1)) return false;
  series.step.push(step);
  series.epoch.push(epoch);
  series.time_ms.push(at);
  for (const column of [series.value, series.min, series.max]) column.push(value);
  return true;
}

/** Freshly read columns, followed by the streamed points that are newer. */
export function refreshed(read, streamed) {
  const series = emptySeries();
  for (const key of Object.keys(series)) series[key] = [...(read?.[key] ?? [])];
  const last = series.step.at(-1) ?? -1;
  (streamed?.step ?? []).forEach((step, i) => {
    if (step > last) addPoint(series, { step, epoch: streamed.epoch[i], value: streamed.value[i], at_ms: streamed.time_ms[i] });
  });
  return series;
}

/** A curve of which one part is known more closely: `fine` in place of what was there. */
export function spliced(coarse, fine) {
  if (!fine?.step.length) return coarse;
  const first = (beyond) => {
    const i = coarse.step.findIndex(beyond);
    return i < 0 ? coarse.step.length : i;
  };
  const [begin, end] = [first((step) => step >= fine.step[0]), first((step) => step > fine.step.at(-1))];
  return Object.fromEntries(Object.keys(coarse).map((key) => [key, [...coarse[key].slice(0, begin), ...fine[key], ...coarse[key].slice(end)]]));
}

/** Where its points are on an axis: step, epoch, or seconds since `start`. A point whose time is not known is where the one before is. */
export function placesOf(series, axis, start) {
  if (axis !== 'time') return series[axis];
  let before = 0;
  return series.time_ms.map((ms) => {
    if (ms !== null && ms !== undefined) before = Math.max(0, (ms - (start ?? series.time_ms[0])) / 1000);
    return before;
  });
}

/** What `to` tells where `from` is at `place`: both are columns of one curve that rise together. */
export function between(from, to, place) {
  if (!from.length) return null;
  const next = from.findIndex((each) => each >= place);
  if (next < 0) return to.at(-1);
  if (next === 0 || from[next] === place) return to[next];
  return to[next - 1] + ((place - from[next - 1]) / (from[next] - from[next - 1])) * (to[next] - to[next - 1]);
}

/** Series with places of their own → a row for each place: {x, step, epoch, time_ms, columns: {name: {value, min, max}}}. undefined: this
 * series has no point there; null: it has, of no number. */
export function align(all, axis = 'step', startOf = () => undefined) {
  const rows = new Map();
  const places = {};
  for (const [name, series] of Object.entries(all)) {
    places[name] = placesOf(series, axis, startOf(name));
    places[name].forEach((place, i) => rows.has(place) || rows.set(place, [series.step[i], series.epoch[i], series.time_ms[i]]));
  }
  const x = [...rows.keys()].sort((a, b) => a - b);
  const row = new Map(x.map((place, i) => [place, i]));
  const columns = {};
  for (const [name, series] of Object.entries(all)) {
    const at = places[name].map((place) => row.get(place));
    const column = (from) => {
      const out = new Array(x.length).fill(undefined);
      for (let i = 0; i < at.length; i++) out[at[i]] = from[i];
      return out;
    };
    columns[name] = { value: column(series.value), min: column(series.min), max: column(series.max) };
  }
  const [step, epoch, time_ms] = [0, 1, 2].map((k) => x.map((place) => rows.get(place)[k]));
  return { x, step, epoch, time_ms, columns };
}

/** Exponential moving average that starts unbiased; weight 0 leaves the values as they are, gaps stay gaps. */
export function smooth(values, weight) {
  if (!weight) return values;
  let sum = 0;
  let total = 0;
  return values.map((value) => {
    if (value === null || value === undefined) return value;
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

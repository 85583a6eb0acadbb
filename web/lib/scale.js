// lib/scale.js: where an axis ends. Pure functions.

const NARROW = 3; // greatest over least: below, a whole digit more at each end would press the curve flat
const WIDE = 1e4; // above, powers of ten are ticks enough
const FEW = 4; // ticks that an axis should have

const tidy = (value) => Number(value.toPrecision(12));

/** From one digit below the least value to one digit above the greatest, a finer one where they are close:
 * 0.0118 … 0.17 → 0.01 … 0.2, 0.0131 … 0.0139 → 0.013 … 0.014. */
export function logRange(min, max) {
  if (!(min > 0)) return [1e-3, 1];
  const fine = max / min < NARROW ? 0.1 : 1;
  const round = (value, way) => {
    const unit = fine * 10 ** Math.floor(Math.log10(value));
    return tidy(way(tidy(value / unit)) * unit);
  };
  const [low, high] = [round(min, Math.floor), round(max, Math.ceil)];
  return low < high ? [low, high] : [low, low * 2];
}

/** Where a logarithmic axis has its ticks: 1, 2, 5 of each power of ten, or, where few of them fit in, more digits, or even steps. */
export function logTicks(min, max) {
  for (const digits of max / min > WIDE ? [[1]] : [[1, 2, 5], [1, 2, 3, 5, 7]]) {
    const ticks = digitTicks(min, max, digits);
    if (ticks.length >= FEW) return ticks;
  }
  return evenTicks(min, max);
}

function digitTicks(min, max, digits) {
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(min)); power <= max; power *= 10) {
    ticks.push(...digits.map((digit) => tidy(digit * power)).filter((tick) => tick >= min && tick <= max));
  }
  return ticks;
}

export function evenTicks(min, max) {
  const power = 10 ** Math.floor(Math.log10((max - min) / FEW));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => (max - min) / each <= 6);
  const ticks = [];
  for (let i = Math.ceil(tidy(min / step)); i * step <= tidy(max); i++) ticks.push(tidy(i * step));
  return ticks;
}

/** From the least to the greatest of most values: a hundredth of them at either end may be beyond. null: there are none. */
export function mostOf(values) {
  const known = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b);
  if (!known.length) return null;
  const out = Math.floor(known.length / 100);
  return [known[out], known[known.length - 1 - out]];
}

/** Seconds between the ticks of an axis of time. */
export const TIME_STEPS = [1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400,
  21600, 43200, 86400, 172800, 432000, 864000];

/** 30 s, 1:05, 1:00:00. */
function timeText(seconds, finely) {
  if (seconds < 60) return `${Number(seconds.toPrecision(finely ? 4 : 3))} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] ? parts : parts.slice(1)).map((part, i) => (i ? String(part).padStart(2, '0') : String(part))).join(':');
}

/** A place on an axis of steps, epochs or time: as a tick says it, or finely, as a read-out does. */
export function placeText(axis, value, finely = false) {
  if (axis === 'time') return timeText(value, finely);
  if (axis === 'step') return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(finely ? 6 : 4)));
}

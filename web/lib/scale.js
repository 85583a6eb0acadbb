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

/** Where a logarithmic axis has its ticks: 1, 2, 5 of each power of ten, or, where few of them fit in, even steps. */
export function logTicks(min, max) {
  const digits = max / min > WIDE ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(min)); power <= max; power *= 10) {
    ticks.push(...digits.map((digit) => tidy(digit * power)).filter((tick) => tick >= min && tick <= max));
  }
  return ticks.length < FEW ? evenTicks(min, max) : ticks;
}

export function evenTicks(min, max) {
  const power = 10 ** Math.floor(Math.log10((max - min) / FEW));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => (max - min) / each <= 6);
  const ticks = [];
  for (let i = Math.ceil(tidy(min / step)); i * step <= tidy(max); i++) ticks.push(tidy(i * step));
  return ticks;
}

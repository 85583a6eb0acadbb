// scale.js: where an axis ends. Pure functions.

/** From one digit below the least value to one digit above the greatest: 0.0118 … 0.17 → 0.01 … 0.2. */
export function logRange(min, max) {
  if (!(min > 0)) return [1e-3, 1];
  const round = (value, way) => {
    const unit = 10 ** Math.floor(Math.log10(value));
    return Number((way(value / unit) * unit).toPrecision(12));
  };
  const [low, high] = [round(min, Math.floor), round(max, Math.ceil)];
  return low < high ? [low, high] : [low, low * 2];
}

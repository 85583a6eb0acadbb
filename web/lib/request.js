// lib/request.js: what a request for a job says, and what goes without saying. Pure functions.

// What the daemon takes for what a request leaves out; presets and parameters have theirs in the kind.
export const DEFAULTS = { dataset: 'fashion-mnist', name: '', seed: 0 };

export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The shortest request for this job, of the kind as `v1/kinds/…` tells it: what the daemon would choose anyway stays out. */
export function request(kind, { preset, params = {}, ...job }) {
  const body = { kind: kind.kind };
  if (preset !== kind.default_preset) body.preset = preset;
  for (const [key, usual] of Object.entries(DEFAULTS)) if (!same(job[key] ?? usual, usual)) body[key] = job[key];
  if (job.from) body.from = job.from;
  const base = kind.presets.find((row) => row.name === preset)?.params ?? {};
  const changes = Object.entries(params).filter(([name, value]) => !same(value, base[name]));
  if (changes.length) body.params = Object.fromEntries(changes);
  return body;
}

/** Parameters of a kind whose `base` is a request for a job of `kind`, resolved: with that one as short as it can be, too. */
export const shortBase = (params, kind) => ({ ...params, base: request(kind, params.base) });

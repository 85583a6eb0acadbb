// lib/format.js: numbers and times as people read them. Pure functions.

export function loss(value) {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2);
  return size < 1e4 ? value.toPrecision(4) : String(Number(value.toPrecision(4))); // 5.094e+4 is 50940
}

/** A figure of a run by its name: accuracies as shares. */
export function measured(name, value) {
  return name.endsWith('accuracy') && typeof value === 'number' ? `${(100 * value).toFixed(2)} %` : loss(value);
}

/** How much worse the held-out images come off than training images. */
export function gapText({ gap, relative }) {
  const share = typeof relative === 'number' ? ` (${relative < 0 ? '−' : '+'}${Math.abs(100 * relative).toFixed(1)} %)` : '';
  return `${loss(gap)}${share}`;
}

export function duration(ms) {
  if (ms === null || ms === undefined || ms < 0) return '–';
  const s = ms / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  const total = Math.round(s);
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${seconds} s`;
}

/** How long ago, in one unit. */
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
}

export function count(value) {
  return value === null || value === undefined ? '–' : Math.round(value).toLocaleString('en-US');
}

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (value >= 1024 && i < units.length - 1) {
    value /= 1024;
    i += 1;
  }
  return `${i && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[i]}`;
}

export function big(value, unit) {
  const units = ['', 'K', 'M', 'G', 'T', 'P'];
  let i = 0;
  while (value >= 1000 && i < units.length - 1) {
    value /= 1000;
    i += 1;
  }
  return `${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)} ${units[i]}${unit}`;
}

export function clock(ms) {
  return ms ? new Date(ms).toLocaleString() : '–';
}

/** A parameter's value as it is written in the form and in tables. */
export function param(value) {
  if (Array.isArray(value)) return value.length ? value.join(', ') : 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (value !== null && typeof value === 'object') return Object.entries(value).map(([name, part]) => `${name} ${param(part)}`).join(', ');
  return value === null || value === undefined ? '–' : String(value);
}

/** 0..1, or null where nothing is known yet. */
export function progressOf(job) {
  if (job.status === 'succeeded') return 1;
  const p = job.progress ?? {};
  if (p.steps > 0) return Math.min(1, p.step / p.steps);
  return p.epochs > 0 ? Math.min(1, p.epoch / p.epochs) : null;
}

export function percent(share) {
  return share === null ? '' : `${Math.floor(share * 100)}%`;
}

/** How long it has been computed: nothing of a job that was cancelled while it waited. */
export const trained = (job) => duration(job.train_s > 0 ? job.train_s * 1000 : null);

/** Why a run ended, if not because it was done. */
export function endedBy(job) {
  if (!job.stop_reason || job.stop_reason === 'completed') return '';
  return { user_cancel: 'a request to cancel', user_stop: 'a request to stop' }[job.stop_reason] ?? job.stop_reason.replaceAll('_', ' ');
}

export const terminal = (job) => ['succeeded', 'failed', 'cancelled'].includes(job.status);

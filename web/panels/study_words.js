// panels/study_words.js: trials and their parameters in words. Pure functions.

import { tickText } from '../lib/plot.js';
import { isNumber } from '../lib/trials.js';

/** Four digits tell trials apart; the whole number is in the CSV and in the run itself. */
export function paramText(value) {
  if (value === undefined || value === null) return '–';
  if (isNumber(value)) return tickText(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export const trialName = (trial) => (trial.phase === 'retrain' ? `trial ${trial.of}, seed ${trial.seed}` : `trial ${trial.number}`);

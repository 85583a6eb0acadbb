// lib/numbers.js: arrays of numbers that the daemon answers with, as npy: a tenth of the bytes of text, and nothing to parse.

import { bytesOf } from './api.js';
import { readNpy } from './npy.js';

/** {shape, data: Float32Array, epoch, step}. */
export async function numbers(path, options) {
  const { buffer, ...weights } = await bytesOf(path, 'application/x-npy', options);
  return { ...readNpy(buffer), ...weights };
}

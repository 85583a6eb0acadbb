// lib/npy.js: arrays of float32 as NumPy writes them, read and written. Pure functions.

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const ALIGN = 64; // bytes: where the numbers begin is a multiple of it

/** The bytes of a .npy file → {shape, data}; what is neither float32 nor row by row is refused. */
export function readNpy(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw new Error('this is no .npy file');
  const view = new DataView(buffer);
  const [start, size] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const head = new TextDecoder('latin1').decode(bytes.subarray(start, start + size));
  if (!/'descr': *'<f4'/.test(head) || !/'fortran_order': *False/.test(head)) throw new Error('this .npy file holds no float32 in rows');
  const shape = (/'shape': *\(([^)]*)\)/.exec(head)?.[1] ?? '').split(',').filter((part) => part.trim()).map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const from = start + size;
  if (buffer.byteLength - from < 4 * count) throw new Error('this .npy file ends too soon');
  return { shape, data: from % 4 ? new Float32Array(buffer.slice(from, from + 4 * count)) : new Float32Array(buffer, from, count) };
}

/** The other way: `shape` rows of `data`, as bytes. */
export function writeNpy(shape, data) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const from = Math.ceil((10 + text.length + 1) / ALIGN) * ALIGN;
  const bytes = new Uint8Array(from + 4 * data.length);
  bytes.set([...MAGIC, 1, 0, (from - 10) & 255, (from - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${text.padEnd(from - 11)}\n`), 10);
  new Float32Array(bytes.buffer, from).set(data);
  return bytes;
}

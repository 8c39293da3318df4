/** NumPy's `.npy` of one row of doubles. */
export function npyOf(values: Float64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const told = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length},), }`;
  const header = `\x93NUMPY\x01\x00\x76\x00${told.padEnd(117)}\n`;
  const bytes = new Uint8Array(header.length + values.byteLength);
  for (let i = 0; i < header.length; i++) bytes[i] = header.charCodeAt(i);
  bytes.set(new Uint8Array(values.buffer), header.length);
  return bytes;
}

/** Writes MATLAB's files of version 5, for models that are too large to be committed. */

/** A matrix, the last axis closest. */
export interface Matrix {
  readonly shape: readonly [rows: number, columns: number];
  readonly data: Float32Array | Uint16Array | Uint32Array;
}

/** The numbers of a class and of a stored type. */
const KINDS = new Map<unknown, readonly [kind: number, stored: number]>([
  [Float32Array, [7, 7]],
  [Uint16Array, [11, 4]],
  [Uint32Array, [13, 6]],
]);

/** The bytes of `scipy.io.savemat(path, matrices)`. */
export function matlabFile(matrices: Readonly<Record<string, Matrix>>): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(matrices);
  const padded = (length: number) => 8 * Math.ceil(length / 8);
  const bodyOf = (name: string, { data }: Matrix) => 16 + 16 + 8 + padded(name.length) + 8 + padded(data.byteLength);
  const bytes = new Uint8Array(entries.reduce((sum, [name, matrix]) => sum + 8 + bodyOf(name, matrix), 128));
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string) => bytes.set(new TextEncoder().encode(value), at);
  text(0, "MATLAB 5.0 MAT-file".padEnd(116));
  view.setUint16(124, 0x0100, true);
  text(126, "IM");
  let at = 128;
  for (const [name, matrix] of entries) {
    const { shape: [rows, columns], data } = matrix;
    const [kind, stored] = KINDS.get(data.constructor)!;
    const words = [14, bodyOf(name, matrix), 6, 8, kind, 0, 5, 8, rows, columns, 1, name.length];
    for (const [i, word] of words.entries()) view.setUint32(at + 4 * i, word, true);
    text(at + 48, name);
    at += 48 + padded(name.length);
    view.setUint32(at, stored, true);
    view.setUint32(at + 4, data.byteLength, true);
    // columns lie closest there
    const turned = data.slice();
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!;
    bytes.set(new Uint8Array(turned.buffer, turned.byteOffset, turned.byteLength), at + 8);
    at += 8 + padded(data.byteLength);
  }
  return bytes;
}

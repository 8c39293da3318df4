/** Writes MATLAB's files of version 5, for models that are too large to be committed. */
import { bytesOf, joined, type Part } from "./parts.ts";

/** A matrix, the last axis closest. With data for its first columns alone, the others are zeros. */
export interface Matrix {
  readonly shape: readonly [rows: number, columns: number];
  readonly data:
    | Float32Array<ArrayBuffer>
    | Uint16Array<ArrayBuffer>
    | Int32Array<ArrayBuffer>
    | Uint32Array<ArrayBuffer>;
}

/** The numbers of a class and of a stored type. */
const KINDS = new Map<unknown, readonly [kind: number, stored: number]>([
  [Float32Array, [7, 7]],
  [Uint16Array, [11, 4]],
  [Int32Array, [12, 5]],
  [Uint32Array, [13, 6]],
]);

/** The bytes of `scipy.io.savemat(path, matrices)`. */
export function matlabFile(matrices: Readonly<Record<string, Matrix>>): Uint8Array<ArrayBuffer> {
  return joined(matlabParts(matrices));
}

/** The same in parts. */
export function matlabParts(matrices: Readonly<Record<string, Matrix>>): Part[] {
  const head = new Uint8Array(128);
  head.set(new TextEncoder().encode("MATLAB 5.0 MAT-file".padEnd(116)));
  head.set([0, 1], 124);
  head.set(new TextEncoder().encode("IM"), 126);
  const padding = (length: number) => -length & 7;
  const parts: Part[] = [head];
  for (const [name, { shape: [rows, columns], data }] of Object.entries(matrices)) {
    const [kind, stored] = KINDS.get(data.constructor)!;
    const length = rows * columns * data.BYTES_PER_ELEMENT;
    const title = new Uint8Array(name.length + padding(name.length));
    title.set(new TextEncoder().encode(name));
    const body = 16 + 16 + 8 + title.length + 8 + length + padding(length);
    // columns lie closest there
    const [turned, given] = [data.slice(), data.length / rows];
    for (let i = 0; i < rows; i++) for (let j = 0; j < given; j++) turned[j * rows + i] = data[i * given + j]!;
    parts.push(
      bytesOf(Uint32Array.of(14, body, 6, 8, kind, 0, 5, 8, rows, columns, 1, name.length)),
      title,
      bytesOf(Uint32Array.of(stored, length)),
      bytesOf(turned),
      length - data.byteLength + padding(length),
    );
  }
  return parts;
}

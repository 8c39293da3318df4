/** Writes NumPy's `.npy` and `.npz` of doubles. */
import { bytesOf, joined, type Part } from "./parts.ts";
import { zipParts } from "./zip_writer.ts";

/** An array, the last axis closest. */
interface DoubleArray {
  readonly shape: readonly number[];
  readonly data: readonly Part[];
}

/** The file of `numpy.save(path, array)`, in parts. */
function npyParts({ shape, data }: DoubleArray): Part[] {
  const sizes = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const told = `{'descr': '<f8', 'fortran_order': False, 'shape': ${sizes}, }`;
  const header = `\x93NUMPY\x01\x00\x76\x00${told.padEnd(117)}\n`;
  return [Uint8Array.from(header, (letter) => letter.charCodeAt(0)), ...data];
}

/** The bytes of `numpy.save(path, values)`. */
export function npyOf(values: Float64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return joined(npyParts({ shape: [values.length], data: [bytesOf(values)] }));
}

/** The file of `numpy.savez(path, **arrays)`, in parts. */
export function npzParts(arrays: Readonly<Record<string, DoubleArray>>): Part[] {
  return zipParts(Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npyParts(array)])));
}

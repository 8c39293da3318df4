/**
 * Arrays with a shape: what the CPU references (`…_cpu.ts`) take and give where the kernels have tensors, and how they
 * walk over them.
 */

/** A dense array, row-major: `data.length` is the product of `shape`. */
export interface Dense<Data extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly shape: readonly number[];
  readonly data: Data;
}

/** An array of zeros in double precision, as every reference sums. */
export function zeros(shape: readonly number[]): Dense<Float64Array> {
  return { shape, data: new Float64Array(shape.reduce((product, length) => product * length, 1)) };
}

/** An array whose every element is what `value` gives for its coordinates. */
export function fill(shape: readonly number[], value: (at: readonly number[]) => number): Dense<Float64Array> {
  const out = zeros(shape);
  for (const [i, at] of coordinates(shape).entries()) out.data[i] = value(at);
  return out;
}

/** The coordinates of every element of a shape, in the order of the elements. */
export function coordinates(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, length) => all.flatMap((at) => Array.from({ length }, (_, i) => [...at, i])),
    [[]],
  );
}

/** The element at these coordinates. Throws `RangeError` outside the array. */
export function elementAt({ shape, data }: Dense, at: readonly number[]): number {
  const value = data[shape.reduce((index, length, axis) => index * length + at[axis]!, 0)];
  if (value === undefined || at.some((place, axis) => !(place >= 0 && place < shape[axis]!))) {
    throw new RangeError(`An array [${shape}] has no element (${at})`);
  }
  return value;
}

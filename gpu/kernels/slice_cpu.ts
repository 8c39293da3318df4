/** Slices and splits, element by element: the definition of what slice.ts computes. */

import { type Dense, elementAt, fill } from "../dense.ts";

/** The attributes of tfjs's kernel Slice. */
export interface SliceAttrs {
  /** Where each axis begins. */
  readonly begin: readonly number[];
  /** How many elements of each axis are kept; −1 for all that follow. */
  readonly size: readonly number[];
}

/** A part of x, as tfjs's kernel Slice has it. */
export function sliceCpu(x: Dense, { begin, size }: SliceAttrs): Dense<Float64Array> {
  const shape = size.map((length, axis) => length < 0 ? x.shape[axis]! - begin[axis]! : length);
  return fill(shape, (at) => elementAt(x, at.map((place, axis) => begin[axis]! + place)));
}

/** x cut along an axis into parts of these lengths, as tfjs's kernel SplitV has it. */
export function splitCpu(
  x: Dense,
  { axis, numOrSizeSplits }: { readonly axis: number; readonly numOrSizeSplits: readonly number[] },
): Dense<Float64Array>[] {
  let from = 0;
  return numOrSizeSplits.map((length) => {
    const begin = x.shape.map((_, other) => other === axis ? from : 0);
    from += length;
    return sliceCpu(x, { begin, size: x.shape.with(axis, length) });
  });
}

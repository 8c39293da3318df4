/** Concatenation, element by element: the definition of what concat.ts computes. */

import { type Dense, elementAt, fill } from "../dense.ts";

/**
 * The arrays one behind the other along an axis, as tfjs's kernel Concat has them. The other axes are of equal length.
 */
export function concatCpu(parts: readonly Dense[], { axis }: { readonly axis: number }): Dense<Float64Array> {
  const first = parts[0];
  if (first === undefined) throw new RangeError("There is nothing to concatenate");
  const shape = first.shape.with(axis, parts.reduce((sum, part) => sum + part.shape[axis]!, 0));
  return fill(shape, (at) => {
    let place = at[axis]!;
    for (const part of parts) {
      if (place < part.shape[axis]!) return elementAt(part, at.with(axis, place));
      place -= part.shape[axis]!;
    }
    throw new RangeError(`No part holds element (${at})`);
  });
}

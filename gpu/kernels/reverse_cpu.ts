/** Reversal, element by element: the definition of what reverse.ts computes. */

import { type Dense, elementAt, fill } from "../dense.ts";

/** x with some axes reversed, as tfjs's kernel Reverse has it. A negative axis counts from the last. */
export function reverseCpu(x: Dense, { dims }: { readonly dims: readonly number[] }): Dense<Float64Array> {
  const axes = dims.map((axis) => axis < 0 ? axis + x.shape.length : axis);
  return fill(
    x.shape,
    (at) => elementAt(x, at.map((place, axis) => axes.includes(axis) ? x.shape[axis]! - 1 - place : place)),
  );
}

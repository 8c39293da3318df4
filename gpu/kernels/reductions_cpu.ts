/**
 * tf.sum and tf.mean over any axes, element by element in double precision: the definition of what reductions.ts
 * computes.
 */

import { coordinates, type Dense, zeros } from "../dense.ts";

/** The attributes of tfjs's kernels Sum and Mean. */
export interface ReductionAttrs {
  readonly axis: readonly number[];
  /** Whether a reduced axis stays, with length 1. */
  readonly keepDims: boolean;
}

/** The sum or the mean over some axes. */
export function reduceCpu(kernel: "Sum" | "Mean", x: Dense, { axis, keepDims }: ReductionAttrs): Dense<Float64Array> {
  const kept = zeros(x.shape.map((length, i) => axis.includes(i) ? 1 : length));
  const scale = kernel === "Mean" ? kept.data.length / x.data.length : 1;
  for (const [i, at] of coordinates(x.shape).entries()) {
    const to = kept.shape.reduce((index, length, k) => index * length + (axis.includes(k) ? 0 : at[k]!), 0);
    kept.data[to]! += x.data[i]!;
  }
  const data = kept.data.map((sum) => scale * sum);
  return { shape: keepDims ? kept.shape : x.shape.filter((_, i) => !axis.includes(i)), data };
}

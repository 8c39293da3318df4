/**
 * The gradients of maximum and minimum with one constant, element by element: the definition of what clip_gradient.ts
 * computes.
 */

import type { Dense } from "../dense.ts";
import type { Clip } from "./clip_gradient.ts";

/** dy where `a` is on the constant's right side or equal to it, else 0. */
export function clipGradientCpu(
  dy: Dense,
  { a, b, kernelName }: Pick<Clip<Dense>, "a" | "b" | "kernelName">,
): Dense<Float64Array> {
  const limit = b.data[0]!;
  const passes = (value: number) => kernelName === "Maximum" ? value >= limit : value <= limit;
  return { shape: dy.shape, data: Float64Array.from(dy.data, (d, i) => passes(a.data[i]!) ? d : 0) };
}

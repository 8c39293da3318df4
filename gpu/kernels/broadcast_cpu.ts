/** Arithmetic with broadcasting, element by element: the definition of what broadcast.ts computes. */

import { type Dense, elementAt, fill } from "../dense.ts";

const OPERATIONS = {
  Add: (a: number, b: number) => a + b,
  Sub: (a: number, b: number) => a - b,
  Multiply: (a: number, b: number) => a * b,
  RealDiv: (a: number, b: number) => a / b,
  Maximum: (a: number, b: number) => Math.max(a, b),
  Minimum: (a: number, b: number) => Math.min(a, b),
  Prelu: (x: number, slope: number) => x < 0 ? slope * x : x,
};

/** A kernel of tfjs that broadcast.ts replaces. */
export type BroadcastKernel = keyof typeof OPERATIONS;

/**
 * One of tfjs's arithmetic kernels. Shapes are aligned at their last axes; an axis of length 1, or one that is missing,
 * is repeated.
 *
 * @param inputs `a` and `b` as tfjs hands them over; for Prelu the image and its slopes
 */
export function broadcastCpu(
  kernel: BroadcastKernel,
  { a, b }: { readonly a: Dense; readonly b: Dense },
): Dense<Float64Array> {
  const rank = Math.max(a.shape.length, b.shape.length);
  const [of, by] = [a, b].map(({ shape }) => [...Array(rank - shape.length).fill(1), ...shape]) as [number[], number[]];
  const shape = of.map((length, axis) => length === 1 ? by[axis]! : length);
  const value = (operand: Dense, at: readonly number[]) => {
    const own = at.slice(rank - operand.shape.length);
    return elementAt(operand, own.map((place, axis) => operand.shape[axis] === 1 ? 0 : place));
  };
  return fill(shape, (at) => OPERATIONS[kernel](value(a, at), value(b, at)));
}

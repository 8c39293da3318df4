/** Padding, element by element: the definition of what pad.ts computes. */

import { type Dense, elementAt, fill } from "../dense.ts";

/** The attributes of tfjs's kernel PadV2. */
export interface PadAttrs {
  /** How many elements are added before and behind each axis. */
  readonly paddings: readonly (readonly [before: number, behind: number])[];
  readonly constantValue: number;
}

/** x within elements of one value, as tfjs's kernel PadV2 has it. */
export function padCpu(x: Dense, { paddings, constantValue }: PadAttrs): Dense<Float64Array> {
  const shape = x.shape.map((length, axis) => paddings[axis]![0] + length + paddings[axis]![1]);
  return fill(shape, (at) => {
    const own = at.map((place, axis) => place - paddings[axis]![0]);
    const inside = own.every((place, axis) => place >= 0 && place < x.shape[axis]!);
    return inside ? elementAt(x, own) : constantValue;
  });
}

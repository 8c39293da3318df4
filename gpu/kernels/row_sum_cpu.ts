/** Sums of rows as plain loops in double precision: the definition of what row_sum.ts computes. */

import { type Dense, zeros } from "../dense.ts";
import type { RowSumOptions } from "./row_sum.ts";

/** Sums each row of x as [rows, columns]. The result has the given shape. */
export function rowSumCpu(
  x: Dense,
  { rows, columns, shape, scale = 1 }: Omit<RowSumOptions, "software">,
): Dense<Float64Array> {
  const sums = zeros(shape);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) sums.data[row]! += scale * x.data[row * columns + column]!;
  }
  return sums;
}

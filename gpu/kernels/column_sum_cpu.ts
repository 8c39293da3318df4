/** Sums of columns as plain loops in double precision: the definition of what column_sum.ts computes. */

import { type Dense, zeros } from "../dense.ts";
import type { ColumnSumOptions } from "./column_sum.ts";

/** Sums the rows of x as [rows, columns]. The result has the given shape. */
export function columnSumCpu(
  x: Dense,
  { rows, columns, shape, through, scale = 1 }: Omit<ColumnSumOptions<Dense>, "software">,
): Dense<Float64Array> {
  const sums = zeros(shape);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const slope = through === undefined || through.value.data[at]! > 0 ? 1 : through.slope;
      sums.data[column]! += scale * slope * x.data[at]!;
    }
  }
  return sums;
}

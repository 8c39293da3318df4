/** A sparse matrix along one axis as plain loops in double precision: the definition of what along_axis.ts computes. */

import { type Dense, zeros } from "../dense.ts";
import { transposeSparse } from "../sparse_matrix.ts";
import type { AlongAxisOptions } from "./along_axis.ts";

/** Replaces the axis of `matrix.cols` elements by one of `matrix.rows`: y[o, i, k] = Σ_j matrix[i, j] · x[o, j, k]. */
export function alongAxisCpu(x: Dense, { matrix, axis }: AlongAxisOptions): Dense<Float64Array> {
  const y = zeros(x.shape.with(axis, matrix.rows));
  const inside = x.shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  for (let o = 0; o < x.data.length / (matrix.cols * inside); o++) {
    for (let row = 0; row < matrix.rows; row++) {
      for (let entry = matrix.offsets[row]!; entry < matrix.offsets[row + 1]!; entry++) {
        for (let k = 0; k < inside; k++) {
          const from = (o * matrix.cols + matrix.indices[entry]!) * inside + k;
          y.data[(o * matrix.rows + row) * inside + k]! += matrix.weights[entry]! * x.data[from]!;
        }
      }
    }
  }
  return y;
}

/** The gradient of x: the transposed matrix along the same axis. */
export function alongAxisGradientCpu(dy: Dense, { matrix, axis }: AlongAxisOptions): Dense<Float64Array> {
  return alongAxisCpu(dy, { matrix: transposeSparse(matrix), axis });
}

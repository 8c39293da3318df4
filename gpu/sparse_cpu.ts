/** A sparse matrix times a dense one in plain loops: the reference of sparse.ts. */

import type { SparseMatrix } from "./sparse_matrix.ts";

/**
 * matrix · dense.
 *
 * @param dense cols×channels, row-major.
 * @returns rows×channels.
 * @throws RangeError if `dense` is no multiple of `cols`.
 */
export function applySparseCpu(matrix: SparseMatrix, dense: Float32Array): Float32Array {
  const channels = dense.length / matrix.cols;
  if (!Number.isInteger(channels)) {
    throw new RangeError(`A matrix of ${matrix.cols} columns cannot take ${dense.length} values`);
  }
  const out = new Float32Array(matrix.rows * channels);
  for (let r = 0; r < matrix.rows; r++) {
    for (let k = matrix.offsets[r]!; k < matrix.offsets[r + 1]!; k++) {
      const from = matrix.indices[k]! * channels;
      const weight = matrix.weights[k]!;
      for (let c = 0; c < channels; c++) out[r * channels + c] = out[r * channels + c]! + weight * dense[from + c]!;
    }
  }
  return out;
}

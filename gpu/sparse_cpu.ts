/** A sparse matrix by rows (CSR), its exact transpose, and plain loops for both: the reference of the GPU kernel. */

/**
 * A rows×cols matrix: row r holds the entries `offsets[r]` up to `offsets[r+1]` of `indices` (columns) and `weights`.
 */
export interface SparseMatrix {
  readonly rows: number;
  readonly cols: number;
  /** rows + 1 values. */
  readonly offsets: Uint32Array;
  readonly indices: Uint32Array;
  readonly weights: Float32Array;
}

/** The transpose, by counting sort: entries of each of its rows stand in the order of the original's rows. */
export function transposeSparse(matrix: SparseMatrix): SparseMatrix {
  const { rows, cols, offsets, indices, weights } = matrix;
  const starts = new Uint32Array(cols + 1);
  for (const col of indices) starts[col + 1] = starts[col + 1]! + 1;
  for (let c = 0; c < cols; c++) starts[c + 1] = starts[c + 1]! + starts[c]!;
  const next = starts.slice(0, cols);
  const outIndices = new Uint32Array(indices.length);
  const outWeights = new Float32Array(weights.length);
  for (let r = 0; r < rows; r++) {
    for (let k = offsets[r]!; k < offsets[r + 1]!; k++) {
      const col = indices[k]!;
      const to = next[col]!;
      next[col] = to + 1;
      outIndices[to] = r;
      outWeights[to] = weights[k]!;
    }
  }
  return { rows: cols, cols: rows, offsets: starts, indices: outIndices, weights: outWeights };
}

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

/** A sparse matrix by rows (CSR), and its exact transpose. */

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

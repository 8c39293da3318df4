/** Rows of a matrix by index, as plain loops: the definition of what select_rows.ts computes. */

import { type Dense, zeros } from "../dense.ts";

/** The rows of x [rows, channels] in the order of their indices; −1 gives a row of zeros. */
export function selectRowsCpu(x: Dense, indices: Int32Array): Dense<Float64Array> {
  const channels = x.shape[1]!;
  const y = zeros([indices.length, channels]);
  for (const [place, row] of indices.entries()) {
    for (let c = 0; c < channels; c++) y.data[place * channels + c] = row < 0 ? 0 : x.data[row * channels + c]!;
  }
  return y;
}

/** The gradient of x, of so many rows, for an upstream gradient [indices.length, channels]. */
export function selectRowsGradientCpu(
  dy: Dense,
  { rows, indices }: { readonly rows: number; readonly indices: Int32Array },
): Dense<Float64Array> {
  const channels = dy.shape[1]!;
  const dx = zeros([rows, channels]);
  for (const [place, row] of indices.entries()) {
    for (let c = 0; c < channels && row >= 0; c++) dx.data[row * channels + c]! += dy.data[place * channels + c]!;
  }
  return dx;
}

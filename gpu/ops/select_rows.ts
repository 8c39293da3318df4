/**
 * Rows of a matrix by index, as a gather both ways. tfjs's own `gather` has a gradient by atomic float adds, whose
 * order changes from run to run.
 */

import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { program } from "../kernels/dispatch.ts";
import { elementFor } from "../kernels/invocations.ts";
import type { Tfjs } from "../backend.ts";
import { differentiable, run } from "./run.ts";

/**
 * The rows of x in the order of their indices. Differentiable.
 *
 * @param x [rows, channels]
 * @param indices each row at most once; −1 gives a row of zeros
 * @returns [indices.length, channels]
 * @throws {RangeError} if an index is no row's, or comes twice
 */
export function selectRows(tf: Tfjs, x: Tensor2D, indices: Int32Array): Tensor2D {
  const [rows] = x.shape;
  const places = new Int32Array(rows).fill(-1);
  for (const [place, row] of indices.entries()) {
    if (row === -1) continue;
    if (places[row] !== -1) throw new RangeError(`Cannot select row ${row} of ${rows}: no such row, or a second time`);
    places[row] = place;
  }
  return differentiable(tf, {
    inputs: [x],
    forward: () => gather(tf, x, indices),
    gradient: (dy) => [gather(tf, dy, places)],
  }) as Tensor2D;
}

function gather(tf: Tfjs, x: Tensor, indices: Int32Array): Tensor {
  const channels = x.shape[1]!;
  const { element, width } = elementFor(channels);
  const columns = channels / width;
  const count = indices.length * columns;
  return run(tf, {
    key: `select_rows_${element}`,
    code: () =>
      program({
        result: element,
        inputs: [["x", element], ["indices", "i32"]],
        uniforms: ["count", "columns"],
        body: `
  if (id >= u.count) { return; }
  let row = indices[id / u.columns];
  result[id] = select(${element}(), x[max(row, 0) * u.columns + id % u.columns], row >= 0);`,
      }),
    inputs: [x, tf.tensor1d(indices, "int32")],
    shape: [indices.length, channels],
    uniforms: [count, columns],
    invocations: count,
  });
}

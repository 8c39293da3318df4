/**
 * A sparse matrix along one axis of a tensor, such as one half of a separable resampling:
 * y[o, i, k] = Σ_j matrix[i, j] · x[o, j, k].
 *
 * A dense matrix product would multiply mostly by zero and transpose the image twice. The gradient is the same
 * gather with the transpose, so sums are in a fixed order.
 */

import type { Tensor, TensorInfo } from "@tensorflow/tfjs";
import { program, sizeOf } from "../kernels/dispatch.ts";
import { elementFor } from "../kernels/invocations.ts";
import { type SparseMatrix, transposeSparse } from "../sparse_matrix.ts";
import type { Tfjs } from "../backend.ts";
import { differentiable, run } from "./run.ts";

/** What is applied, and to which axis. */
export interface AlongAxisOptions {
  readonly matrix: SparseMatrix;
  readonly axis: number;
}

/**
 * Replaces the axis of `matrix.cols` elements by one of `matrix.rows`. Differentiable in x. Bit-repeatable.
 *
 * @throws {RangeError} if the axis has another length
 */
export function alongAxis(tf: Tfjs, x: Tensor, { matrix, axis }: AlongAxisOptions): Tensor {
  if (x.shape[axis] !== matrix.cols) {
    throw new RangeError(`A matrix of ${matrix.cols} columns cannot go along axis ${axis} of a tensor [${x.shape}]`);
  }
  return differentiable(tf, {
    inputs: [x],
    forward: () => gather(tf, x, { matrix, axis }),
    gradient: (dy) => [gather(tf, dy, { matrix: transposeSparse(matrix), axis })],
  });
}

function gather(tf: Tfjs, x: Tensor, { matrix, axis }: AlongAxisOptions): Tensor {
  const shape = x.shape.map((size, i) => i === axis ? matrix.rows : size);
  const inner = sizeOf(shape.slice(axis + 1));
  const { element, width } = elementFor(inner);
  const count = sizeOf(shape) / width;
  // WebGPU binds no empty buffer.
  const some = matrix.indices.length > 0;
  return tf.tidy(() => {
    const offsets = tf.tensor1d(new Int32Array(matrix.offsets), "int32");
    const indices = tf.tensor1d(some ? new Int32Array(matrix.indices) : new Int32Array(1), "int32");
    const weights = tf.tensor1d(some ? matrix.weights : new Float32Array(1), "float32");
    return run(tf, {
      key: `along_axis_${element}`,
      code: () => code(element),
      inputs: [offsets, indices, weights, x] satisfies TensorInfo[],
      shape,
      uniforms: [count, inner / width, matrix.rows, matrix.cols],
      invocations: count,
    });
  });
}

function code(element: string): string {
  return program({
    result: element,
    inputs: [["offsets", "i32"], ["indices", "i32"], ["weights", "f32"], ["x", element]],
    uniforms: ["count", "inner", "rows", "columns"],
    body: `
  if (id >= u.count) { return; }
  let k = id % u.inner;
  let row = id / u.inner % u.rows;
  let first = id / (u.inner * u.rows) * u.columns;
  var sum = ${element}();
  for (var e = offsets[row]; e < offsets[row + 1]; e++) {
    sum = fma(${element}(weights[e]), x[(first + indices[e]) * u.inner + k], sum);
  }
  result[id] = sum;`,
  });
}

/**
 * A sparse matrix times a dense one as a differentiable tfjs op. Forward gathers along the rows of the matrix, the
 * gradient gathers along the rows of its transpose: no atomics, every sum in a fixed order, so a run repeats bit for
 * bit. (tfjs's own gather has a gradient by atomic float adds, whose order changes from run to run.)
 */

import type * as tfjs from "@tensorflow/tfjs";
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import { type SparseMatrix, transposeSparse } from "./sparse_matrix.ts";
import { type Tfjs, webgpuBackend } from "./backend.ts";

const KERNEL = "FtimSparseGather";

interface Uploaded {
  readonly offsets: tfjs.Tensor1D;
  readonly indices: tfjs.Tensor1D;
  readonly weights: tfjs.Tensor1D;
}

interface Cached {
  readonly forward: Uploaded;
  transpose?: Uploaded;
}

const cache = new WeakMap<SparseMatrix, Cached>();

/**
 * matrix · dense, differentiable in `dense`. The matrix is uploaded at its first use (and its transpose at the first
 * gradient) and stays on the device until `disposeSparse`.
 *
 * @param tf As `openTfjs` returns it.
 * @param matrix rows×cols.
 * @param dense `[cols, channels]`.
 * @returns `[rows, channels]`.
 * @throws RangeError if the columns do not match.
 */
export function applySparse(tf: Tfjs, matrix: SparseMatrix, dense: tfjs.Tensor2D): tfjs.Tensor2D {
  if (dense.shape[0] !== matrix.cols) {
    throw new RangeError(`A matrix of ${matrix.cols} columns cannot take a tensor of shape [${dense.shape}]`);
  }
  register(tf);
  const cached = cache.get(matrix) ?? { forward: upload(tf, matrix) };
  cache.set(matrix, cached);
  const op = tf.customGrad((x) => ({
    value: gather(tf, cached.forward, x as tfjs.Tensor),
    gradFunc: (dy: tfjs.Tensor) => {
      cached.transpose ??= upload(tf, transposeSparse(matrix));
      return gather(tf, cached.transpose, dy);
    },
  }));
  return op(dense) as tfjs.Tensor2D;
}

/** Frees what `applySparse` keeps on the device for this matrix. */
export function disposeSparse(matrix: SparseMatrix): void {
  const cached = cache.get(matrix);
  for (const part of [cached?.forward, cached?.transpose]) {
    if (part !== undefined) { for (const tensor of [part.offsets, part.indices, part.weights]) tensor.dispose(); }
  }
  cache.delete(matrix);
}

/**
 * Uploads as tensors that no `tidy` frees. An empty matrix gets one entry that no row names: WebGPU binds no empty
 * buffer.
 */
function upload(tf: Tfjs, { offsets, indices, weights }: SparseMatrix): Uploaded {
  const some = indices.length > 0;
  return {
    offsets: tf.keep(tf.tensor1d(new Int32Array(offsets), "int32")),
    indices: tf.keep(tf.tensor1d(some ? new Int32Array(indices) : new Int32Array(1), "int32")),
    weights: tf.keep(tf.tensor1d(some ? weights.slice() : new Float32Array(1), "float32")),
  };
}

function gather(tf: Tfjs, { offsets, indices, weights }: Uploaded, dense: tfjs.Tensor): tfjs.Tensor {
  return tf.engine().runKernel(KERNEL, { offsets, indices, weights, dense });
}

const registered = new WeakSet<Tfjs>();

function register(tf: Tfjs): void {
  if (registered.has(tf)) return;
  registered.add(tf);
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: "webgpu",
    kernelFunc: ({ inputs }) => {
      const { offsets, indices, weights, dense } = inputs as Record<keyof Uploaded | "dense", tfjs.TensorInfo>;
      const rows = offsets.shape[0]! - 1;
      const program = gatherProgram(rows, dense.shape[1]!);
      return webgpuBackend(tf).runWebGPUProgram(program, [offsets, indices, weights, dense], "float32", [
        { type: "int32", data: [rows] },
      ]);
    },
  });
}

/** One invocation a row; it holds the sums of all channels in registers. */
function gatherProgram(rows: number, channels: number): WebGPUProgram {
  const each = (line: (c: number) => string) => Array.from({ length: channels }, (_, c) => line(c)).join("\n");
  return {
    outputShape: [rows, channels],
    variableNames: ["offsets", "indices", "weights", "dense"],
    shaderKey: `${KERNEL}_${channels}`,
    uniforms: "rows : i32,",
    dispatchLayout: { x: [0] },
    dispatch: [Math.ceil(rows / 64), 1, 1],
    workgroupSize: [64, 1, 1],
    getUserCode: () => `
      fn main(row : i32) {
        if (row >= uniforms.rows) { return; }
        ${each((c) => `var sum${c} = 0.0;`)}
        let end = offsets[row + 1];
        for (var k = offsets[row]; k < end; k++) {
          let weight = weights[k];
          let first = indices[k] * ${channels};
          ${each((c) => `sum${c} += weight * dense[first + ${c}];`)}
        }
        ${each((c) => `result[row * ${channels} + ${c}] = sum${c};`)}
      }`,
  };
}

import assert from "node:assert/strict";
import { applySparse, disposeSparse } from "../../gpu/sparse.ts";
import { applySparseCpu } from "../../gpu/sparse_cpu.ts";
import { type SparseMatrix, transposeSparse } from "../../gpu/sparse_matrix.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { openGpu } from "../../gpu/device.ts";
import { maxDifference, randomStream } from "../face/head.ts";

const random = randomStream(3);

function randomSparse(rows: number, cols: number): SparseMatrix {
  const offsets = new Uint32Array(rows + 1);
  const indices: number[] = [];
  for (let r = 0; r < rows; r++) {
    const count = Math.floor(random() * 6);
    for (let k = 0; k < count; k++) indices.push(Math.floor(random() * cols));
    offsets[r + 1] = indices.length;
  }
  return { rows, cols, offsets, indices: Uint32Array.from(indices), weights: randoms(indices.length) };
}

function randoms(count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random() - 0.5);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

Deno.test("applySparseCpu and transposeSparse agree with dense matrices", () => {
  const matrix = randomSparse(7, 5);
  const full = (m: SparseMatrix) => {
    const out = new Float64Array(m.rows * m.cols);
    for (let r = 0; r < m.rows; r++) {
      for (let k = m.offsets[r]!; k < m.offsets[r + 1]!; k++) {
        const at = r * m.cols + m.indices[k]!;
        out[at] = out[at]! + m.weights[k]!;
      }
    }
    return out;
  };
  const a = full(matrix);
  const transposed = full(transposeSparse(matrix));
  for (let r = 0; r < 7; r++) {
    for (let c = 0; c < 5; c++) assert.ok(Math.abs(a[r * 5 + c]! - transposed[c * 7 + r]!) < 1e-6);
  }
  const x = randoms(10);
  const expected = Array.from(
    { length: 14 },
    (_, at) => [0, 1, 2, 3, 4].reduce((sum, c) => sum + a[(at >> 1) * 5 + c]! * x[2 * c + at % 2]!, 0),
  );
  assert.ok(maxDifference(applySparseCpu(matrix, x), expected) < 1e-6);
  assert.throws(() => applySparseCpu(matrix, randoms(7)), RangeError);
});

Deno.test("the op equals the CPU on odd shapes, its gradient the transpose, and both repeat bit for bit", async () => {
  const tf = await openTfjs();
  for (const [rows, cols, channels] of [[1, 1, 1], [131, 77, 3], [1000, 1531, 4], [65, 3, 2]] as const) {
    const matrix = randomSparse(rows, cols);
    const [x, y] = [randoms(cols * channels), randoms(rows * channels)];
    const run = async () => {
      const dense = tf.tensor2d(x, [cols, channels]);
      const value = applySparse(tf, matrix, dense);
      const gradient = tf.grad((d) =>
        tf.sum(tf.mul(applySparse(tf, matrix, d as typeof dense), tf.tensor2d(y, [rows, channels])))
      )(dense);
      assert.deepEqual(value.shape, [rows, channels]);
      return [await value.data(), await gradient.data()] as [Float32Array, Float32Array];
    };
    const [value, gradient] = await run();
    assert.ok(maxDifference(value, applySparseCpu(matrix, x)) < 1e-5);
    assert.ok(maxDifference(gradient, applySparseCpu(transposeSparse(matrix), y)) < 1e-5);
    assert.ok(Math.abs(dot(value, y) - dot(gradient, x)) < 1e-4 * Math.sqrt(rows), "⟨Ax, y⟩ = ⟨x, Aᵀy⟩");
    assert.deepEqual(await run(), [value, gradient]);
    disposeSparse(matrix);
  }
  await (await openGpu()).assertHealthy("sparse test");
});

Deno.test("a matrix without entries gives zeros; a wrong width is refused; memory comes back", async () => {
  const tf = await openTfjs();
  const before = tf.memory().numTensors;
  const empty = {
    rows: 3,
    cols: 2,
    offsets: new Uint32Array(4),
    indices: new Uint32Array(0),
    weights: new Float32Array(0),
  };
  const dense = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const value = applySparse(tf, empty, dense);
  assert.deepEqual([...await value.data()], [0, 0, 0, 0, 0, 0]);
  const wrong = tf.tensor2d([1, 2, 3], [3, 1]);
  assert.throws(() => applySparse(tf, empty, wrong), /2 columns cannot take a tensor of shape \[3,1\]/);
  tf.dispose([value, dense, wrong]);
  disposeSparse(empty);
  assert.equal(tf.memory().numTensors, before);
});

import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { alongAxis } from "../../../gpu/ops/along_axis.ts";
import { alongAxisCpu, alongAxisGradientCpu } from "../../../gpu/ops/along_axis_cpu.ts";
import type { SparseMatrix } from "../../../gpu/sparse_matrix.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { inner, random } from "../arrays.ts";

/** A matrix with up to three entries a row, some rows empty. */
function matrix(rows: number, cols: number): SparseMatrix {
  const indices: number[] = [];
  const offsets = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < row % 4; k++) indices.push((7 * row + 3 * k) % cols);
    offsets[row + 1] = indices.length;
  }
  return { rows, cols, offsets, indices: Uint32Array.from(indices), weights: random([indices.length], 5).data };
}

for (
  const { shape, axis, rows } of [
    { shape: [3, 7, 9, 3], axis: 1, rows: 5 },
    { shape: [3, 7, 9, 3], axis: 2, rows: 17 },
    { shape: [1, 9, 7, 17], axis: 1, rows: 9 },
    { shape: [2, 5, 8, 4], axis: 2, rows: 3 },
    { shape: [1, 1, 1, 1], axis: 2, rows: 6 },
    { shape: [4, 3], axis: 0, rows: 2 },
    { shape: [4, 3], axis: 1, rows: 1 },
  ]
) {
  Deno.test(`alongAxis() and its gradient equal plain loops: [${shape}] axis ${axis} to ${rows}`, async () => {
    const tf = await openTfjs();
    const cols = shape[axis]!;
    const m = matrix(rows, cols);
    const out = shape.map((size, i) => i === axis ? rows : size);
    const x = random(shape, 1);
    const dy = random(out, 2);
    const [y, dx] = [alongAxisCpu(x, { matrix: m, axis }).data, alongAxisGradientCpu(dy, { matrix: m, axis }).data];
    const run = async () => {
      const [tx, tdy] = [tf.tensor(x.data, shape), tf.tensor(dy.data, out)];
      const before = tf.memory().numTensors;
      const f = (input: Tensor) => alongAxis(tf, input, { matrix: m, axis });
      const results = [f(tx), tf.grad(f)(tx, tdy)];
      assert.equal(tf.memory().numTensors, before + 2, "tensors leak");
      const values = await Promise.all(results.map((tensor) => tensor.data<"float32">()));
      tf.dispose([results, tx, tdy]);
      await (await openGpu()).assertHealthy("along axis test");
      return values as [Float32Array, Float32Array];
    };
    const [value, gradient] = await run();
    value.forEach((got, i) => assert.ok(Math.abs(got - y[i]!) < 1e-6));
    gradient.forEach((got, i) => assert.ok(Math.abs(got - dx[i]!) < 1e-6));
    assert.ok(Math.abs(inner(value, dy.data) - inner(x.data, gradient)) < 1e-5, "⟨Ax, y⟩ = ⟨x, Aᵀy⟩");
    for (let repeat = 1; repeat < 10; repeat++) assert.deepEqual(await run(), [value, gradient]);
  });
}

Deno.test("alongAxis() refuses an axis of another length, and takes a matrix without entries", async () => {
  const tf = await openTfjs();
  const x = tf.ones([2, 3]);
  assert.throws(() => alongAxis(tf, x, { matrix: matrix(2, 4), axis: 1 }), /4 columns cannot go along axis 1/);
  const empty = { ...matrix(1, 3), rows: 2, offsets: new Uint32Array(3) };
  const zeros = alongAxis(tf, x, { matrix: empty, axis: 1 });
  assert.deepEqual([...await zeros.data()], [0, 0, 0, 0]);
  tf.dispose([x, zeros]);
});

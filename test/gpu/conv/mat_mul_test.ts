import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { matMulCpu } from "../../../gpu/conv/mat_mul_cpu.ts";
import { openGpu } from "../../../gpu/device.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { inner, random, relativeError, type Values } from "../arrays.ts";

for (
  const { rows, middle, columns, batch } of [
    { rows: 64, middle: 64, columns: 64, batch: 1 },
    { rows: 3, middle: 1300, columns: 17, batch: 1 },
    { rows: 129, middle: 5, columns: 131, batch: 1 },
    { rows: 1, middle: 300, columns: 301, batch: 1 },
    { rows: 300, middle: 301, columns: 1, batch: 1 },
    { rows: 17, middle: 45, columns: 39, batch: 3 },
  ]
) {
  for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]] as const) {
    if (batch > 1 && transposeA) continue; // stays with tfjs
    const name = `${batch}×${rows}×${middle}×${columns}${transposeA ? " Aᵀ" : ""}${transposeB ? " Bᵀ" : ""}`;
    Deno.test(`matMul() and its gradients equal plain loops: ${name}`, async () => {
      const tf = await openTfjs();
      const a = random([batch, ...(transposeA ? [middle, rows] : [rows, middle])], 1);
      const b = random([1, ...(transposeB ? [columns, middle] : [middle, columns])], 2);
      const dy = random([batch, rows, columns], 3);
      const plain = { bias: undefined, epilogue: { activation: "linear", alpha: 0, hasBias: false } } as const;
      const y = matMulCpu({ a, b, transposeA, transposeB, ...plain }).data;
      // With A' and B' for the operands as they are multiplied, dA' = dy · B'ᵀ and dB' = A'ᵀ · dy. One matrix b serves
      // the batch, so its gradient is of all rows at once.
      const rowsOf = (given: Values) => ({
        ...given,
        shape: [given.data.length / given.shape.at(-1)!, given.shape.at(-1)!],
      });
      const [flatA, flatB, flatDy] = [rowsOf(a), rowsOf(b), rowsOf(dy)];
      const da = transposeA
        ? matMulCpu({ a: flatB, b: flatDy, transposeA: transposeB, transposeB: true, ...plain }).data
        : matMulCpu({ a: flatDy, b: flatB, transposeA: false, transposeB: !transposeB, ...plain }).data;
      const db = transposeB
        ? matMulCpu({ a: flatDy, b: flatA, transposeA: true, transposeB: transposeA, ...plain }).data
        : matMulCpu({ a: flatA, b: flatDy, transposeA: !transposeA, transposeB: false, ...plain }).data;
      const run = async () => {
        const inputs = [tf.tensor(a.data, a.shape), tf.tensor(b.data, b.shape)];
        const upstream = tf.tensor(dy.data, dy.shape);
        const f = (p: Tensor, q: Tensor): Tensor => tf.matMul(p, q, transposeA, transposeB);
        // tfjs has no gradient for a matrix that is shared by a batch.
        const tensors = batch > 1
          ? [f(inputs[0]!, inputs[1]!)]
          : [f(inputs[0]!, inputs[1]!), ...tf.grads(f)(inputs, upstream)];
        const values = await Promise.all(tensors.map((t) => t.data<"float32">()));
        tf.dispose([tensors, inputs, upstream]);
        await (await openGpu()).assertHealthy("matMul test");
        return values;
      };
      const got = await run();
      for (const [i, expected] of [y, da, db].slice(0, got.length).entries()) {
        assert.ok(relativeError(got[i]!, expected) < 3e-6, `result ${i}: ${relativeError(got[i]!, expected)}`);
      }
      if (got.length === 3) {
        const product = inner(got[0]!, dy.data);
        assert.ok(
          Math.abs(product - inner(a.data, got[1]!)) < 1e-3 && Math.abs(product - inner(b.data, got[2]!)) < 1e-3,
        );
      }
      assert.deepEqual(await run(), got, "not bit-repeatable");
    });
  }
}

Deno.test("fused.matMul() adds the bias and applies the activation", async () => {
  const tf = await openTfjs();
  const [a, b, bias] = [random([50, 60], 1), random([60, 33], 2), random([33], 3)];
  const result = tf.fused.matMul({
    a: tf.tensor2d(a.data, [50, 60]),
    b: tf.tensor2d(b.data, [60, 33]),
    bias: tf.tensor1d(bias.data),
    activation: "leakyrelu",
    leakyreluAlpha: 0.3,
  }) as Tensor2D;
  const got = await result.data<"float32">();
  const epilogue = { activation: "leakyrelu", alpha: 0.3, hasBias: true } as const;
  const expected = matMulCpu({ a, b, bias, transposeA: false, transposeB: false, epilogue });
  got.forEach((value, o) => assert.ok(Math.abs(value - expected.data[o]!) < 1e-5));
  result.dispose();
});

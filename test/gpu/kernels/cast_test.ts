import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { weightedL1 } from "@ftim/gpu/ops/weighted-l1";
import type { Tensor4D } from "@tensorflow/tfjs";

const tf = await openTfjs();

Deno.test("truth values and whole numbers cast to floats are floats for every program, at any size", async () => {
  for (const count of [1, 7, 1000, 100_003]) {
    const values = Int32Array.from({ length: count }, (_, i) => i * 7 % 11 - 5);
    const whole = tf.tensor1d(values, "int32");
    const casts = [[whole, (value: number) => value], [
      tf.greater(whole, 2),
      (value: number) => Number(value > 2),
    ]] as const;
    for (const [x, expected] of casts) {
      const onDevice = tf.cast(x, "float32");
      assert.deepEqual([...await onDevice.data()], Array.from(values, expected), `${x.dtype}, ${count} values`);
      const sum = (await tf.sum(onDevice).data())[0]!;
      assert.equal(sum, values.reduce((sum, value) => sum + expected(value), 0), `${x.dtype}, sum of ${count} values`);
    }
  }
});

Deno.test("a mask that is cast to floats weighs as much as one of floats", async () => {
  const shape: [number, number, number, number] = [1, 128, 128, 3];
  const [a, b] = [tf.randomUniform(shape, 0, 1, "float32", 1), tf.randomUniform(shape, 0, 1, "float32", 2)];
  const shown = tf.randomUniform([1, 128, 128, 1], 0, 1, "float32", 3);
  const mask = tf.greater(shown, 0.5);
  const floats = tf.tensor4d(Float32Array.from(await mask.data()), [1, 128, 128, 1]);
  const loss = async (weight: Tensor4D) =>
    (await weightedL1(tf, a as Tensor4D, { b: b as Tensor4D, weight }).data())[0]!;
  const expected = await loss(floats);
  assert.ok(expected > 0.2);
  assert.equal(await loss(tf.cast(mask, "float32") as Tensor4D), expected);
});

import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { openTfjs } from "../../gpu/tfjs.ts";

Deno.test("tensors of every type come to the device as they are", async () => {
  const tf = await openTfjs();
  const doubled = async (x: Tensor) => [...await tf.tidy(() => tf.add(x, x)).data()];
  assert.deepEqual(await doubled(tf.tensor1d([0.1, -2, 3e30])), [...Float32Array.of(0.2, -4, 6e30)]);
  assert.deepEqual(await doubled(tf.tensor1d(Float32Array.of(1, 2, 3, 4, 5).subarray(1, 4))), [4, 6, 8]);
  assert.deepEqual(await doubled(tf.tensor1d([7, -8, 2 ** 24 + 1], "int32")), [14, -16, 2 ** 25 + 2]);
  const [yes, no] = [tf.ones([3]), tf.zeros([3])];
  const chosen = tf.tidy(() => tf.where(tf.tensor1d([true, false, true], "bool"), yes, no));
  assert.deepEqual([...await chosen.data()], [1, 0, 1]);
  await (await openGpu()).assertHealthy("upload test");
});

Deno.test("an upload does not overtake the work before it: a buffer is free once that is submitted", async () => {
  const tf = await openTfjs();
  const results = Array.from({ length: 300 }, (_, i) => {
    const [x, y] = [1, 2].map((times) => tf.tensor1d(new Float32Array(1000).fill(times * i)));
    const sum = tf.add(x!, y!);
    tf.dispose([x!, y!]); // the sum waits to be submitted, and the next tensors are of the same size
    return sum;
  });
  for (const [i, sum] of results.entries()) assert.deepEqual(await sum.data(), new Float32Array(1000).fill(3 * i));
  tf.dispose(results);
});

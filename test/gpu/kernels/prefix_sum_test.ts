import assert from "node:assert/strict";
import { webgpuBackend } from "../../../gpu/backend.ts";
import { openGpu } from "../../../gpu/device.ts";
import { prefixSum } from "../../../gpu/kernels/prefix_sum.ts";
import { clearedTensor } from "../../../gpu/ops/run.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";

Deno.test("prefixSum() has the sum of all elements before each, of any number of them", async () => {
  const tf = await openTfjs();
  for (const length of [1, 63, 64, 65, 4096, 4097, 300_001]) {
    const values = Int32Array.from({ length }, (_, i) => i % 7 === 3 ? 0 : (13 * i) % 5);
    const counts = tf.tensor1d(values, "int32");
    const sums = tf.engine().makeTensorFromTensorInfo(prefixSum(webgpuBackend(tf), counts));
    const found = await sums.data<"int32">();
    let sum = 0;
    const expected = values.map((value) => (sum += value) - value);
    assert.deepEqual(found, expected);
    tf.dispose([counts, sums]);
  }
  await (await openGpu()).assertHealthy("prefix sum test");
});

Deno.test("clearedTensor() is 0 where memory is used again", async () => {
  const tf = await openTfjs();
  for (let round = 0; round < 3; round++) {
    const ones = tf.fill([1003], 1);
    await ones.data();
    ones.dispose();
    const zeros = clearedTensor(tf, { shape: [17, 59], dtype: "float32" });
    assert.ok((await zeros.data()).every((value) => value === 0));
    zeros.dispose();
  }
});

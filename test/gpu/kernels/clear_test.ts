import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { clearedTensor } from "../../../gpu/ops/run.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";

Deno.test("clearedTensor() is 0 where memory is used again, and comes after what was recorded before", async () => {
  const tf = await openTfjs();
  for (let round = 0; round < 3; round++) {
    const ones = tf.fill([1003], 1);
    if (round > 0) await ones.data();
    ones.dispose();
    const zeros = clearedTensor(tf, { shape: [17, 59], dtype: "float32" });
    assert.ok((await zeros.data()).every((value) => value === 0));
    zeros.dispose();
  }
  await (await openGpu()).assertHealthy("clear test");
});

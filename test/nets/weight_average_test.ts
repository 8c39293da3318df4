import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { toVariables } from "../../nets/parameters.ts";
import { weightAverage } from "../../nets/weight_average.ts";

Deno.test("weightAverage() is the mean of the weights at its calls, and follows none after them", async () => {
  const tf = await openTfjs();
  const variables = toVariables(tf, { x: { shape: [2], data: Float32Array.of(100, -100) } });
  const before = tf.memory().numTensors;
  const average = weightAverage(tf, variables);
  const set = (values: number[]) => tf.tidy(() => variables["x"]!.assign(tf.tensor1d(values)));
  for (const values of [[1, 2], [2, -4], [6, 5]]) {
    set(values);
    average.add();
  }
  set([1000, 1000]);
  const found = (await average.values()).x!;
  assert.deepEqual(found.shape, [2]);
  assert.ok(Math.abs(found.data[0]! - 3) < 1e-6 && Math.abs(found.data[1]! - 1) < 1e-6, `${found.data}`);
  average.dispose();
  assert.equal(tf.memory().numTensors, before);
});

import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { adam } from "../../nets/adam.ts";
import { fromVariables, toVariables } from "../../nets/parameters.ts";

Deno.test("Adam follows its definition", async () => {
  const tf = await openTfjs();
  const variables = toVariables(tf, { x: { shape: [2], data: Float32Array.of(1, -2) } });
  const optimiser = adam(tf, variables);
  const x = [1, -2], m = [0, 0], v = [0, 0];
  for (let step = 1; step <= 4; step++) {
    const gradient = [0.5 * step, -3];
    optimiser.step({ x: tf.tensor1d(gradient) }, 0.1);
    for (const i of [0, 1]) {
      m[i] = 0.9 * m[i]! + 0.1 * gradient[i]!;
      v[i] = 0.999 * v[i]! + 0.001 * gradient[i]! ** 2;
      x[i] = x[i]! - 0.1 * (m[i]! / (1 - 0.9 ** step)) / (Math.sqrt(v[i]! / (1 - 0.999 ** step)) + 1e-8);
    }
  }
  const found = (await fromVariables(variables)).x!.data;
  for (const i of [0, 1]) assert.ok(Math.abs(found[i]! - x[i]!) < 1e-5, `${found[i]} for ${x[i]}`);
});

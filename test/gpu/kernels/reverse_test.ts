import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { reverseCpu } from "../../../gpu/kernels/reverse_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random } from "../arrays.ts";

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("reverse test");
  return values;
}

for (
  const [shape, axes] of [
    [[3, 32, 32, 3], [2]],
    [[2, 40, 40, 1], [2]],
    [[2, 40, 60, 3], [-1]],
    [[3, 40, 36], [0]], // more inside than ours takes
    [[2, 40, 40, 3], [1, 2]],
  ] as const
) {
  Deno.test(`reverse() of [${shape}] along ${axes} moves every element`, async () => {
    const tf = await openTfjs();
    const x = random([...shape], 1);
    const tensor = tf.tensor(x.data, x.shape);
    const [got] = await read([tf.reverse(tensor, [...axes])]);
    assert.deepEqual(got, Float32Array.from(reverseCpu(x, { dims: axes }).data));
    tensor.dispose();
  });
}

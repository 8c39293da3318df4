import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { clipGradientCpu } from "../../../gpu/kernels/clip_gradient_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random } from "../arrays.ts";

const constant = (value: number) => ({ shape: [], data: Float32Array.of(value) });

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("clip gradient test");
  return values;
}

Deno.test("the gradient of minimum(maximum(x, low), high) passes where x is inside", async () => {
  const tf = await openTfjs();
  for (const shape of [[2, 3, 5, 4], [7, 9]]) {
    const [x, dy] = [random(shape, 1), random(shape, 2)];
    const clip = (a: Tensor) => tf.minimum(tf.maximum(a, -0.25), 0.125);
    const gradient = tf.tidy(() => tf.grad(clip)(tf.tensor(x.data, shape), tf.tensor(dy.data, shape)));
    const [got] = await read([gradient]);
    const most = { shape, data: x.data.map((value) => Math.max(value, -0.25)) };
    const below = clipGradientCpu(dy, { a: most, b: constant(0.125), kernelName: "Minimum" });
    const inside = clipGradientCpu(below, { a: x, b: constant(-0.25), kernelName: "Maximum" });
    assert.deepEqual(got, Float32Array.from(inside.data));
  }
  // Two images: tfjs's own gradient.
  const pair = tf.tidy(() =>
    tf.grads((a: Tensor, b: Tensor) => tf.maximum(a, b))(
      [tf.tensor1d([1, 2]), tf.tensor1d([2, 1])],
      tf.tensor1d([3, 4]),
    )
  );
  assert.deepEqual((await read(pair)).map((data) => [...data]), [[0, 4], [3, 0]]);
});

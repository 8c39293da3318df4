import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { broadcastCpu } from "../../../gpu/kernels/broadcast_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random, relativeError } from "../arrays.ts";

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("broadcast test");
  return values;
}

for (
  const [image, values] of [
    [[3, 32, 32, 3], [3, 32, 32, 1]], // a value a pixel
    [[2, 40, 40, 5], [40, 40, 1]], // of one image for all
    [[2, 40, 40, 3], [1, 1, 1, 1]],
    [[2, 32, 36, 3], [1, 32, 36, 3]], // an image for all
    [[2, 48, 48, 1], [48, 48, 1]],
    [[1, 50, 30, 3], [1, 50, 30, 3]], // one each
    [[3, 31, 33, 3], [3, 31, 33, 1]], // not by fours
    [[2, 64, 64, 2], [2, 64, 64, 1]], // four elements in more than two pixels
    [[2, 36, 40, 3], [2, 1, 40, 3]], // repeated inside, which is none of ours
  ] as const
) {
  Deno.test(`arithmetic of [${image}] with [${values}] equals plain loops to the bit, in either order`, async () => {
    const tf = await openTfjs();
    const [a, b] = [random([...image], 1), random([...values], 2)];
    const [x, y] = [tf.tensor(a.data, a.shape), tf.tensor(b.data, b.shape)];
    const operations = { Add: tf.add, Sub: tf.sub, Multiply: tf.mul, Maximum: tf.maximum } as const;
    for (const [kernel, op] of Object.entries(operations) as [keyof typeof operations, typeof tf.add][]) {
      const [forward, backward] = await read([op(x, y), op(y, x)]);
      assert.deepEqual(forward, Float32Array.from(broadcastCpu(kernel, { a, b }).data));
      assert.deepEqual(backward, Float32Array.from(broadcastCpu(kernel, { a: b, b: a }).data));
    }
    tf.dispose([x, y]);
  });
}

Deno.test("arithmetic of an image with one value per channel equals plain loops, in either order", async () => {
  const tf = await openTfjs();
  const image = random([3, 9, 7, 24], 1);
  const channels = random([24], 2);
  channels.data.forEach((value, i) => channels.data[i] = value + Math.sign(value));
  const x = tf.tensor(image.data, image.shape);
  const per = tf.tensor1d(channels.data);
  const operations = {
    Add: tf.add,
    Sub: tf.sub,
    Multiply: tf.mul,
    RealDiv: tf.div,
    Maximum: tf.maximum,
    Minimum: tf.minimum,
  } as const;
  for (const [kernel, op] of Object.entries(operations) as [keyof typeof operations, typeof tf.add][]) {
    const [forward, backward] = await read([op(x, per), op(per.reshape([1, 1, 24]), x)]);
    assert.ok(relativeError(forward!, broadcastCpu(kernel, { a: image, b: channels }).data) < 1e-6);
    assert.ok(relativeError(backward!, broadcastCpu(kernel, { a: channels, b: image }).data) < 1e-6);
  }
  tf.dispose([x, per]);
});

Deno.test("prelu() with a slope per channel, and one per pixel, equals plain loops to the bit", async () => {
  const tf = await openTfjs();
  for (const slopes of [[1, 1, 8], [32, 32, 1]]) {
    const [image, slope] = [random([2, 32, 32, slopes[2] === 1 ? 3 : 8], 1), random(slopes, 2)];
    const [x, alpha] = [tf.tensor(image.data, image.shape), tf.tensor(slope.data, slope.shape)];
    const [got] = await read([tf.prelu(x, alpha)]);
    assert.deepEqual(got, Float32Array.from(broadcastCpu("Prelu", { a: image, b: slope }).data));
    tf.dispose([x, alpha]);
  }
});

import type { Rank, Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../../gpu/device.ts";
import { padCpu } from "../../../gpu/kernels/pad_cpu.ts";
import { sliceCpu, splitCpu } from "../../../gpu/kernels/slice_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { inner, random } from "../arrays.ts";

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  for (const tensor of tensors) tensor.dispose();
  await (await openGpu()).assertHealthy("slice test");
  return values;
}

for (
  const { shape, begin, size } of [
    { shape: [3, 64, 64, 3], begin: [1, 0, 0, 0], size: [1, 64, 64, 3] },
    { shape: [2, 41, 37, 5], begin: [0, 3, 0, 0], size: [2, 30, 37, 5] },
    { shape: [2, 40, 36, 12], begin: [0, 0, 0, 4], size: [2, 40, 36, 8] },
    { shape: [2, 40, 36, 5], begin: [0, 0, 0, 2], size: [2, 40, 36, 3] },
    { shape: [3, 70, 70], begin: [1, 2, 0], size: [2, -1, 70] },
  ]
) {
  Deno.test(`slice() and its gradient copy exactly: [${size}] from [${begin}] of [${shape}]`, async () => {
    const tf = await openTfjs();
    const x = random(shape, 1);
    const tensor = tf.tensor(x.data, shape);
    const lengths = size.map((length, axis) => length < 0 ? shape[axis]! - begin[axis]! : length);
    const dy = random(lengths, 2);
    const upstream = tf.tensor(dy.data, lengths);
    const y = tf.slice(tensor, begin, size);
    const dx = tf.grad((x: Tensor) => tf.mul(tf.slice(x, begin, size), upstream))(tensor);
    assert.deepEqual(y.shape, lengths);
    const [got = new Float32Array(), gradient = new Float32Array()] = await read([y, dx]);
    assert.deepEqual(got, Float32Array.from(sliceCpu(x, { begin, size }).data));
    // The gradient of a slice is dy within zeros.
    const paddings = shape.map((length, axis) => [begin[axis]!, length - begin[axis]! - lengths[axis]!] as const);
    assert.deepEqual(gradient, Float32Array.from(padCpu(dy, { paddings, constantValue: 0 }).data));
    const [along, back] = [inner(got, dy.data), inner(gradient, x.data)];
    assert.ok(Math.abs(along - back) < 1e-4 * Math.abs(along) + 1e-4);
    tf.dispose([tensor, upstream]);
  });
}

Deno.test("split() gives the slices, and the gradient of concat() with it", async () => {
  const tf = await openTfjs();
  const x = random([2, 30, 40, 7], 1);
  const tensor = tf.tensor(x.data, x.shape);
  const parts = tf.split(tensor, [3, 4], 3);
  const expected = splitCpu(x, { axis: 3, numOrSizeSplits: [3, 4] }).map(({ data }) => Float32Array.from(data));
  assert.deepEqual(await read(parts), expected);
  const [a, b] = [tf.ones<Rank.R4>([1, 30, 40, 7]), tf.zeros<Rank.R4>([1, 30, 40, 7])];
  const [da, db] = tf.grads((a: Tensor, b: Tensor) => tf.mul(tf.concat([a, b]), tensor))([a, b]) as [Tensor, Tensor];
  assert.deepEqual(await read([da, db]), [x.data.subarray(0, 8400), x.data.subarray(8400)].map((d) => d.slice()));
  tf.dispose([tensor, a, b]);
});

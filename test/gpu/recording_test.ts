import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { hasPassTimes } from "../../gpu/pass_times.ts";
import { submitRecorded, webgpuBackend } from "../../gpu/backend.ts";
import { openTfjs, type Tfjs } from "../../gpu/tfjs.ts";
import { random } from "./arrays.ts";

/** How many bind groups and buffers some work makes. */
async function made(tf: Tfjs, work: () => void): Promise<{ groups: number; buffers: number }> {
  const { device } = await openGpu();
  const { createBindGroup, createBuffer } = device;
  const counts = { groups: 0, buffers: 0 };
  device.createBindGroup = (...args) => {
    counts.groups++;
    return createBindGroup.apply(device, args);
  };
  device.createBuffer = (...args) => {
    counts.buffers++;
    return createBuffer.apply(device, args);
  };
  try {
    work();
    submitRecorded(webgpuBackend(tf));
  } finally {
    Object.assign(device, { createBindGroup, createBuffer });
  }
  return counts;
}

Deno.test("work that repeats makes no bind group and no buffer anew", async () => {
  const tf = await openTfjs();
  const filter = tf.randomUniform<import("@tensorflow/tfjs").Rank.R4>([3, 3, 4, 8], -1, 1, "float32", 1);
  const { data } = random([2, 9, 7, 4], 2);
  const work = () => {
    tf.tidy(() => {
      const x = tf.tensor4d(data, [2, 9, 7, 4]);
      const y = tf.relu(tf.conv2d(x, filter, 1, "same"));
      tf.mean(tf.square(tf.sub(y, 0.5)));
    });
  };
  const first = await made(tf, work);
  assert.ok(first.groups > 3, `${first.groups}`);
  // Filters are packed for good at the second time.
  await made(tf, work);
  await made(tf, work);
  for (let i = 0; i < 3; i++) assert.deepEqual(await made(tf, work), { groups: 0, buffers: 0 });
  filter.dispose();
});

Deno.test("one program over other data, other shapes and other numbers gives other results", async () => {
  const tf = await openTfjs();
  const results: [Tensor, number[]][] = [];
  for (const shape of [[], [3], [2, 3], [1, 2, 3], [2, 1, 2, 3], [1, 2, 1, 2, 3], [2, 1, 1, 2, 1, 3]]) {
    for (const shift of [1, -2.5]) {
      const values = random(shape, shape.length).data;
      const sum = tf.tidy(() => tf.add(tf.tensor([...values], shape), shift));
      results.push([sum, [...Float32Array.from(values, (v) => Math.fround(v) + shift)]]);
    }
  }
  for (const [sum, expected] of results) assert.deepEqual([...await sum.data()], expected, `[${sum.shape}]`);
  tf.dispose(results.map(([sum]) => sum));
  await (await openGpu()).assertHealthy("recording test");
});

Deno.test("uniforms lie many in one buffer, each in its own place", async () => {
  const tf = await openTfjs();
  const x = tf.tensor1d([1, 2, 3]);
  tf.add(x, 0.5).dispose();
  const sums: Tensor[] = [];
  const { buffers } = await made(tf, () => {
    for (let i = 0; i < 500; i++) sums.push(tf.leakyRelu(x, -1 / (i + 1)));
  });
  assert.ok(buffers < 520, `${buffers} buffers for 500 results and the uniforms of each`);
  const negative = tf.neg(x);
  const scaled = Array.from({ length: 300 }, (_, i) => tf.leakyRelu(negative, i / 512));
  const all = tf.stack([...sums, ...scaled]);
  const expected = [
    ...sums.map(() => [1, 2, 3]),
    ...scaled.map((_, i) => [1, 2, 3].map((value) => Math.fround(-value * Math.fround(i / 512)))),
  ];
  assert.deepEqual(await all.array(), expected);
  tf.dispose([x, negative, all, ...sums, ...scaled]);
});

Deno.test("a tensor that is freed before its work is submitted keeps its buffer until then", async () => {
  const tf = await openTfjs();
  const one = tf.ones([500]);
  const sums = Array.from({ length: 250 }, (_, i) =>
    tf.tidy(() => {
      const x = tf.fill([500], i);
      return tf.add(tf.mul(x, one), tf.mul(x, 2));
    }));
  for (const [i, sum] of sums.entries()) assert.deepEqual(await sum.data(), new Float32Array(500).fill(3 * i));
  tf.dispose([one, sums]);
});

Deno.test({
  name: "tf.time still measures, which needs a pass for each program",
  ignore: !hasPassTimes((await openGpu()).device),
  fn: async () => {
    const tf = await openTfjs();
    const x = tf.ones([64, 64]);
    const { kernelMs } = await tf.time(() => tf.matMul(x, x).dispose());
    assert.ok(typeof kernelMs === "number" && kernelMs > 0, JSON.stringify(kernelMs));
    x.dispose();
  },
});

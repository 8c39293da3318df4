import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { enlargeCpu, pushPullCpu } from "../../../gpu/ops/push_pull_cpu.ts";
import { enlarge, pushPull } from "../../../gpu/ops/push_pull.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { maxDifference, randomStream } from "../../face/head.ts";

const random = randomStream(3);
const numbers = (length: number) => Float32Array.from({ length }, random);
const tf = await openTfjs();

async function onDevice(work: () => Tensor4D): Promise<Float32Array> {
  const result = tf.tidy(work);
  const data = await result.data();
  result.dispose();
  return data as Float32Array;
}

for (
  const { size, channels, maps, known } of [
    { size: 1, channels: 3, maps: 3, known: 0.5 },
    { size: 2, channels: 1, maps: 1, known: 0.5 },
    { size: 5, channels: 2, maps: 4, known: 0.2 },
    { size: 33, channels: 3, maps: 2, known: 0.03 },
    { size: 64, channels: 3, maps: 1, known: 0.01 },
    { size: 7, channels: 7, maps: 65, known: 0.1 },
  ]
) {
  Deno.test(`pushPull() is the reference's: ${maps} maps of ${size}² with ${channels} channels`, async () => {
    const values = numbers(maps * size * size * channels);
    const weights = Float32Array.from({ length: maps * size * size }, () => random() < known ? random() + 0.1 : 0);
    // In one map nothing is known.
    if (maps > 1) weights.fill(0, size * size, 2 * size * size);
    const filled = (first: number, count: number) =>
      onDevice(() => {
        const [one, area] = [size * size * channels, size * size];
        return pushPull(
          tf,
          tf.tensor4d(values.subarray(first * one, (first + count) * one), [count, size, size, channels]),
          { weights: tf.tensor3d(weights.subarray(first * area, (first + count) * area), [count, size, size]) },
        );
      });
    const found = await filled(0, maps);
    const one = size * size * channels;
    for (let i = 0; i < maps; i++) {
      const expected = pushPullCpu(values.slice(i * one, (i + 1) * one), {
        weights: weights.slice(i * size * size, (i + 1) * size * size),
        size,
      });
      assert.ok(maxDifference(found.subarray(i * one, (i + 1) * one), expected) < 1e-6, `map ${i}`);
    }
    assert.deepEqual(await filled(0, maps), found);
    assert.deepEqual(await filled(maps - 1, 1), found.slice((maps - 1) * one));
  });
}

for (const [from, to, channels] of [[4, 16, 1], [3, 8, 3], [8, 33, 4], [5, 5, 2], [9, 4, 3], [1, 6, 8]] as const) {
  Deno.test(`enlarge() is the reference's: ${from}² to ${to}², ${channels} channels`, async () => {
    const values = numbers(2 * from * from * channels);
    const found = await onDevice(() => enlarge(tf, tf.tensor4d(values, [2, from, from, channels]), { size: to }));
    const one = from * from * channels;
    const expected = [0, 1].flatMap((i) => [...enlargeCpu(values.slice(i * one, (i + 1) * one), { from, to })]);
    assert.equal(found.length, expected.length);
    assert.ok(maxDifference(found, expected) < 1e-6);
  });
}

Deno.test("pushPull() takes no maps, and refuses weights of other maps and maps that are not square", async () => {
  const none = await onDevice(() => pushPull(tf, tf.zeros([0, 4, 4, 3]), { weights: tf.zeros([0, 4, 4]) }));
  assert.equal(none.length, 0);
  for (const shape of [[2, 4, 4, 3], [1, 4, 5, 3]] as [number, number, number, number][]) {
    assert.throws(() => pushPull(tf, tf.zeros(shape), { weights: tf.zeros([1, 4, 4]) }), RangeError);
  }
  assert.throws(() => enlarge(tf, tf.zeros([1, 4, 5, 3]), { size: 8 }), RangeError);
});

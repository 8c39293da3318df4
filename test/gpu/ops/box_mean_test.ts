import assert from "node:assert/strict";
import { boxMeanCpu } from "../../../gpu/ops/box_mean_cpu.ts";
import { boxMean } from "../../../gpu/ops/box_mean.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { maxDifference, randomStream } from "../../face/head.ts";

const random = randomStream(4);
const tf = await openTfjs();

async function onDevice(maps: Float32Array, { size, radius }: { size: number; radius: number }) {
  const result = tf.tidy(() => boxMean(tf, tf.tensor3d(maps, [maps.length / size ** 2, size, size]), { radius }));
  const data = await result.data();
  result.dispose();
  return data as Float32Array;
}

for (
  const { size, radius, maps } of [
    { size: 1, radius: 2, maps: 3 },
    { size: 4, radius: 1, maps: 1 },
    { size: 9, radius: 0, maps: 2 },
    { size: 9, radius: 12, maps: 65 },
    { size: 33, radius: 40, maps: 2 },
    { size: 62, radius: 3, maps: 1 },
    { size: 64, radius: 6, maps: 2 },
  ]
) {
  Deno.test(`boxMean() is the reference's: ${maps} maps of ${size}², radius ${radius}`, async () => {
    const values = Float32Array.from({ length: maps * size * size }, () => random() < 0.2 ? 0 : random());
    values.fill(0, 0, size * size / 2);
    const found = await onDevice(values, { size, radius });
    const area = size * size;
    for (let i = 0; i < maps; i++) {
      const expected = boxMeanCpu(values.slice(i * area, (i + 1) * area), { size, radius });
      assert.ok(maxDifference(found.subarray(i * area, (i + 1) * area), expected) < 3e-7, `map ${i}`);
    }
    assert.deepEqual(await onDevice(values, { size, radius }), found);
    assert.deepEqual(await onDevice(values.slice((maps - 1) * area), { size, radius }), found.slice((maps - 1) * area));
  });
}

Deno.test("boxMean() refuses maps that are not square and a radius that is none", () => {
  assert.throws(() => boxMean(tf, tf.zeros([1, 4, 5]), { radius: 1 }), RangeError);
  for (const radius of [-1, 0.5, NaN, 1e6]) {
    assert.throws(() => boxMean(tf, tf.zeros([1, 4, 4]), { radius }), RangeError);
  }
});

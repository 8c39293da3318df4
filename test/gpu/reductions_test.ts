import type { Tensor } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { random } from "./reference.ts";

const CASES: { shape: number[]; axes: number[] }[] = [
  { shape: [3, 64, 65, 3], axes: [0, 1, 2, 3] },
  { shape: [100_003], axes: [0] },
  { shape: [7, 9, 700], axes: [2] },
  { shape: [3, 40, 50, 5], axes: [1, 2, 3] },
  { shape: [5000, 1], axes: [1] },
  { shape: [1, 4100, 17], axes: [0, 1] },
  { shape: [3, 40, 50, 3], axes: [0] },
  { shape: [2, 60, 4, 12], axes: [0, 1] },
  { shape: [30, 40, 5, 3], axes: [1] },
  { shape: [3, 5], axes: [0, 1] },
];

for (const { shape, axes } of CASES) {
  Deno.test(`sum() and mean() of [${shape}] over [${axes}] equal plain loops in float64, ten times the same bits`, async () => {
    const tf = await openTfjs();
    const { data } = random(shape, 4);
    const values = data.map((value) => value + 0.25);
    const kept = shape.map((size, i) => axes.includes(i) ? 1 : size);
    const expected = new Float64Array(kept.reduce((a, b) => a * b));
    values.forEach((value, i) => {
      let [rest, to, step] = [i, 0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const place = rest % shape[axis]!;
        rest = Math.floor(rest / shape[axis]!);
        if (!axes.includes(axis)) [to, step] = [to + place * step, step * shape[axis]!];
      }
      expected[to] = expected[to]! + value;
    });
    const summed = values.length / expected.length;
    const x = tf.tensor(values, shape);
    for (const keepDims of [true, false]) {
      const results = tf.tidy(() => [tf.sum(x, axes, keepDims), tf.mean(x, axes, keepDims)]) as [Tensor, Tensor];
      for (const [i, result] of results.entries()) {
        assert.deepEqual(result.shape, keepDims ? kept : shape.filter((_, axis) => !axes.includes(axis)));
        const got = await result.data();
        expected.forEach((value, k) => {
          const want = i === 0 ? value : value / summed;
          assert.ok(Math.abs(got[k]! - want) < 2e-6 * (1 + Math.abs(want)), `${got[k]} for ${want}`);
        });
      }
      tf.dispose(results);
    }
    const bits = async () => {
      const sum = tf.sum(x, axes);
      const read = await sum.data();
      sum.dispose();
      return read;
    };
    const first = await bits();
    for (let run = 1; run < 10; run++) assert.deepEqual(await bits(), first);
    x.dispose();
    await (await openGpu()).assertHealthy("reductions test");
  });
}

import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { bestMatches } from "../../nets/best_matches.ts";
import { bestMatchesCpu } from "../../nets/best_matches_cpu.ts";
import { gaussian } from "../../nets/random.ts";
import { near } from "./inputs.ts";

const tf = await openTfjs();

/** Features of length 1. */
function units(seed: number, [count, channels]: readonly [number, number]): Float32Array {
  const next = gaussian(seed);
  const values = Float32Array.from({ length: count * channels }, next);
  for (let i = 0; i < count; i++) {
    const own = values.subarray(i * channels, (i + 1) * channels);
    const length = Math.hypot(...own);
    own.forEach((value, c) => own[c] = value / length);
  }
  return values;
}

const inner = (a: ArrayLike<number>, b: Float32Array) => b.reduce((sum, value, i) => sum + value * a[i]!, 0);

for (const [count, channels, rows] of [[4, 3, 4], [12, 5, 12], [28, 9, 5], [32, 16, 1]] as const) {
  Deno.test(`bestMatches() is bestMatchesCpu(), with its gradient: ${count}×${channels} by ${rows} rows`, async () => {
    const shape = [count, channels] as const;
    const [generated, target] = [units(1, shape), units(2, shape)];
    const inside = Float32Array.from({ length: count }, (_, i) => i % 5 === 3 ? 0 : 1);
    const upstream = Float32Array.from({ length: count }, (_, i) => inside[i]! * Math.cos(i));
    const given = { target: tf.tensor2d(target, [count, channels]), inside: tf.tensor1d(inside), rows };
    const found = await bestMatches(tf, tf.tensor2d(generated, [count, channels]), given).data();
    const expected = bestMatchesCpu(generated, { target, inside });
    assert.deepEqual(Array.from(found, (value) => value < -1e29), Array.from(inside, (value) => value === 0));
    near(found.filter((_, i) => inside[i] === 1), expected.filter((_, i) => inside[i] === 1), 2e-4);

    const gradient = await tf.grad((x) =>
      tf.sum(tf.mul(bestMatches(tf, x as typeof given.target, given), tf.tensor1d(upstream)))
    )(tf.tensor2d(generated, [count, channels])).data() as Float32Array;
    const at = (i: number, step: number) => {
      const moved = Float64Array.from(generated);
      moved[i] = moved[i]! + step;
      return inner(bestMatchesCpu(moved, { target, inside }), upstream);
    };
    const slopes = Float32Array.from(generated, (_, i) => (at(i, 1e-7) - at(i, -1e-7)) / 2e-7);
    const largest = Math.max(...slopes.map(Math.abs));
    near(gradient, slopes, 1e-3 * largest);
  });
}

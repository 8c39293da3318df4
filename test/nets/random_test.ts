import assert from "node:assert/strict";
import { below, gaussian, shuffled, uniform } from "../../nets/random.ts";

// PCG32's reference implementation (pcg_basic.c, O'Neill) with initstate 42 and initseq 54 prints
// 0xa15c02b7 0x7b47f409 0xba1d3330 first. Its stream constant differs from ours, so the sequence itself is checked by
// statistics and the output function by an independent BigInt evaluation.
Deno.test("uniform() follows PCG32's definition", () => {
  const mask = (1n << 64n) - 1n;
  let state = 0n;
  const step = () => state = (state * 6364136223846793005n + 1442695040888963407n) & mask;
  step();
  state = (state + 7n) & mask;
  step();
  // Our seeding folds the two steps: state = (increment + seed) · multiplier + increment.
  const random = uniform(7);
  for (let i = 0; i < 50; i++) {
    const word = (((state >> 18n) ^ state) >> 27n) & 0xffffffffn;
    const rotation = state >> 59n;
    const expected = ((word >> rotation) | (word << ((32n - rotation) & 31n))) & 0xffffffffn;
    assert.equal(random(), Number(expected) / 2 ** 32);
    step();
  }
});

Deno.test("uniform() and gaussian() have the moments of their distributions", () => {
  const random = uniform(1);
  const normal = gaussian(2);
  const n = 40_000;
  let mean = 0, square = 0, first = 0, second = 0;
  for (let i = 0; i < n; i++) {
    const u = random();
    const g = normal();
    mean += u / n;
    square += (u - 0.5) ** 2 / n;
    first += g / n;
    second += g * g / n;
  }
  assert.ok(Math.abs(mean - 0.5) < 0.006 && Math.abs(square - 1 / 12) < 0.002);
  assert.ok(Math.abs(first) < 0.02 && Math.abs(second - 1) < 0.03);
});

Deno.test("shuffled() permutes without loss and equal seeds agree", () => {
  const values = Array.from({ length: 100 }, (_, i) => i);
  const once = shuffled(uniform(3), values);
  assert.deepEqual(once, shuffled(uniform(3), values));
  assert.notDeepEqual(once, values);
  assert.deepEqual([...once].sort((a, b) => a - b), values);
  const random = uniform(4);
  for (let i = 0; i < 1000; i++) assert.ok(Number.isInteger(below(random, 5)) && below(random, 5) < 5);
});

import assert from "node:assert/strict";
import type { Schedule } from "../../../../stages/training/parts/train_params.ts";
import { averagedFrom, draw, rateAt } from "../../../../stages/training/parts/train_loop.ts";

Deno.test("draw() shows every triplet once an epoch, in another order each time, and all three albedos", () => {
  const triplets = ["a", "b", "c", "d", "e"];
  const epoch = (n: number) => [0, 1, 2, 3, 4].map((i) => draw(triplets, { step: 5 * n + i, seed: 3 }).triplet);
  for (const n of [0, 1, 2]) assert.deepEqual([...epoch(n)].sort(), triplets);
  assert.notDeepEqual(epoch(0), epoch(1));
  const chosen = Array.from({ length: 60 }, (_, step) => draw(triplets, { step, seed: 3 }).chosen);
  assert.deepEqual([...new Set(chosen)].sort(), [0, 1, 2]);
});

Deno.test("rateAt() starts at the learning rate, never rises and ends near a tenth", () => {
  const rates = Array.from(
    { length: 100 },
    (_, step) => rateAt(step, { steps: 100, learningRate: 2, schedule: "falling" }),
  );
  assert.equal(rates[0], 2);
  assert.ok(rates.every((rate, i) => i === 0 || rate <= rates[i - 1]!));
  assert.ok(rates[99]! > 0.2 && rates[99]! < 0.21);
  for (const step of [0, 50, 99]) assert.equal(rateAt(step, { steps: 100, learningRate: 2, schedule: "constant" }), 2);
});

Deno.test("averagedFrom() takes the second half of the steps and one at least, or the last step alone", () => {
  const first = (schedule: Schedule) => [1, 2, 3, 120].map((steps) => averagedFrom({ steps, schedule }));
  assert.deepEqual(first("falling"), [0, 1, 1, 60]);
  assert.deepEqual(first("constant"), [0, 1, 2, 119]);
});

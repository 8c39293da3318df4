import assert from "node:assert/strict";
import {
  everyTraining,
  rowsOf,
  type TrainedVariant,
  trainingsOf,
} from "../../../../stages/tables/parts/trained_variants.ts";
import { MORE, VARIANTS } from "../../../../stages/tables/parts/variants.ts";

/** Whether there are scores, of one training of the rows that are always there and of these. */
function scored(...further: TrainedVariant[]) {
  const roles = VARIANTS.filter((variant) => !MORE.includes(variant)).map((variant) => `${variant}_1` as const);
  const all = new Set<TrainedVariant>([...roles, ...further]);
  return (role: TrainedVariant) => all.has(role);
}

Deno.test("the ablation has further rows in their places, and only those that were trained", () => {
  assert.deepEqual(rowsOf(scored()), VARIANTS.filter((variant) => !MORE.includes(variant)));
  assert.deepEqual(rowsOf(scored("light_1")).slice(-2), ["light", "full"]);
  assert.deepEqual(rowsOf(scored("direct_1", "alone_1", "light_2")), [...VARIANTS]);
});

Deno.test("a row without its training is an error; an untrained row stands beside every training", async () => {
  const has = scored("full_2", "light_1");
  const trainings = trainingsOf(has);
  assert.deepEqual(trainings, [1, 2]);
  const read = (role: TrainedVariant) => has(role) ? Promise.resolve([{ role }]) : undefined;
  assert.deepEqual(await everyTraining("guess", { trainings, read }), [
    { role: "guess_1", training: 1 },
    { role: "guess_1", training: 2 },
  ]);
  await assert.rejects(everyTraining("light", { trainings, read }), /no scores of training 2 each view rendered/);
  assert.throws(() => trainingsOf(() => false), /no scores of the full method/);
});

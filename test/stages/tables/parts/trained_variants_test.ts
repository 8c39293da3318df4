import assert from "node:assert/strict";
import { everyTraining, rowsOf, trainedName, trainingsOf } from "../../../../stages/tables/parts/trained_variants.ts";
import { MORE, VARIANTS } from "../../../../stages/tables/parts/variants.ts";

/** Scores of one training of the rows that are always there, and of these: their own names. */
function scored(...further: string[]): Record<string, string> {
  const always = VARIANTS.filter((variant) => !MORE.includes(variant)).map((variant) => trainedName(variant, 1));
  return Object.fromEntries([...always, ...further].map((name) => [name, name]));
}

Deno.test("the ablation has further rows in their places, and only those that were trained", () => {
  assert.deepEqual(rowsOf(scored()), VARIANTS.filter((variant) => !MORE.includes(variant)));
  assert.deepEqual(rowsOf(scored("light.1")).slice(-2), ["light", "full"]);
  assert.deepEqual(rowsOf(scored("direct.1", "alone.1", "light.2")), [...VARIANTS]);
});

Deno.test("a row without its training is an error; an untrained row stands beside every training", async () => {
  const trees = scored("full.10", "full.2", "light.1", "light.10");
  const trainings = trainingsOf(trees);
  assert.deepEqual(trainings, [1, 2, 10]);
  const read = (name: string) => Promise.resolve([{ name }]);
  assert.deepEqual(await everyTraining("guess", { trainings, trees, read }), [
    { name: "guess.1", training: 1 },
    { name: "guess.1", training: 2 },
    { name: "guess.1", training: 10 },
  ]);
  await assert.rejects(
    everyTraining("light", { trainings, trees, read }),
    /no scores of training 2 each view rendered/,
  );
  assert.throws(() => trainingsOf({ "plain.1": "" }), /no scores of the full method/);
});

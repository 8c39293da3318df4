import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import type { Triplets } from "../../../stages/data/triplets.ts";
import { tripletsOfPortraits } from "../../../stages/figures/triplets_of_portraits.ts";
import type { HeadPhotographs } from "../../../stages/synthetic/synthesize.ts";
import { withScratch } from "../scratch.ts";

const triplet = (identity: string) => ({
  identity,
  expression: "1_neutral",
  views: [0, 1, 2].map((view) => `captures/${identity}/1_neutral/${view}/0`) as [string, string, string],
  yaws: [-30, 0, 30] as [number, number, number],
});

const HEADS: HeadPhotographs[] = [
  { identity: "1", expression: "1_neutral", photographs: ["heads/anna/a/0"] },
  { identity: "2", expression: "1_neutral", photographs: ["heads/anna-maria/b/0"] },
  { identity: "3", expression: "1_neutral", photographs: ["heads/anna/a/0", "heads/bert/c/0"] },
];

Deno.test("only triplets of heads whose every portrait is allowed are left, and it is an error if there are none", () =>
  withScratch(async ({ folder, write, run }) => {
    const all: Triplets = {
      bins: [[-90, -10], [-10, 10], [10, 90]],
      triplets: ["1", "2", "3"].map(triplet),
      funnel: { photographs: 9, beyond: 0, inBins: [3, 3, 3], groups: 3, possible: 3, chosen: 3 },
    };
    await write("triplets/triplets.json", JSON.stringify(all));
    await write("heads/textures/photographs.json", JSON.stringify(HEADS));
    const inputs = {
      triplets: cast(sourceFolder(`${folder}/triplets`), "triplets"),
      heads: cast(sourceFolder(`${folder}/heads`), "synthetic"),
    };
    const left = async (portraits: string[]) => {
      const { trees } = await run({ left: tripletsOfPortraits(inputs, { portraits }) });
      return await trees.left.json<Triplets>("triplets.json");
    };
    assert.deepEqual(await left(["heads/anna"]), { ...all, triplets: [triplet("1")] });
    assert.deepEqual(await left(["heads/anna", "heads/bert"]), { ...all, triplets: [triplet("1"), triplet("3")] });
    await assert.rejects(left(["heads/bert"]), /No triplet is of a head that is made of heads\/bert alone/);
  }));

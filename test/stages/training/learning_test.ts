/** Training in the small: what it learns from some persons must hold for another one, whom it never saw. */
import assert from "node:assert/strict";
import { PAPER_WEIGHTS } from "../../../nets/losses.ts";
import { reconstruct } from "../../../stages/methods/reconstruct.ts";
import { withoutFtim } from "../../../stages/methods/without_ftim.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { trainFtim } from "../../../stages/training/train.ts";
import { inside, meanDifference, SIZE } from "../face_lab.ts";
import { readMap } from "../geometry_lab.ts";
import { withScratch } from "../scratch.ts";
import { layTriplets, lossColumns, painted, viewsOf } from "./training_lab.ts";

const SHAPE = { widths: [8, 16], fullWidth: 8 };

/** Persons, of whom each has a tone of its own. */
const CODES: Readonly<Record<string, number[]>> = {
  a: [0.8, -0.5, 0.4],
  b: [-0.6, 0.7, 0.1],
  c: [0.2, 0.9, -0.8],
  held: [-0.3, -0.6, 0.6],
};
/** In two views everybody turns away the same cheek. */
const YAWS = [25, 0, 40] as const;

/** That cheek is dark, which its mirror image cannot tell. */
function dark(column: number): number {
  return column < SIZE * 0.4 ? 0.5 : 1;
}

const paint = (person: string, yaw: number) => painted({ code: CODES[person]!, yaw }, dark);

Deno.test("what is learned of some persons brings one who was held out nearer to the truth than the guess does", () =>
  withScratch(async (scratch) => {
    const persons = Object.keys(CODES);
    const { data, faces } = await layTriplets(scratch, { persons, trained: ["a", "b", "c"], paint, yaws: YAWS });
    const weights = trainFtim(data, { learningRate: 1e-2, steps: 24, shape: SHAPE });
    const { trees } = await scratch.run({
      unwrapped: faces.unwrapped,
      made: reconstruct({ ...faces, weights }),
      guess: withoutFtim(faces, { fill: "guess" }),
    });
    for (const [i, key] of viewsOf("held").entries()) {
      if (YAWS[i] === 0) continue;
      const { visibility } = await readSeen(trees.unwrapped, key);
      const hidden = visibility.map((share, texel) => share < 0.05 && inside[texel] ? 1 : 0);
      const truth = paint("held", YAWS[i]!).texture;
      const loss = async (tree: typeof trees.made) =>
        meanDifference(await readMap(tree, `${key}.texture.png`), truth, hidden);
      const [made, guess] = [await loss(trees.made), await loss(trees.guess)];
      assert.ok(made < 0.7 * guess, `${key}: L1 of unseen texels is ${made}, that of the guess ${guess}`);
    }
  }));

Deno.test("a step sees the three views of one person, and its total is the weighted sum of all terms", () =>
  withScratch(async (scratch) => {
    const settings = { learningRate: 1e-9, steps: 2, shape: SHAPE };
    const train = async (trained: readonly string[]) => {
      const { data } = await layTriplets(scratch, { persons: ["a", "b"], trained, paint });
      const { trees } = await scratch.run({ weights: trainFtim(data, settings) });
      return lossColumns(await trees.weights.text("losses.csv"));
    };
    const [both, a, b] = [await train(["a", "b"]), await train(["a"]), await train(["b"])];
    const { photometric, total } = both;
    const near = (first: number, second: number) => Math.abs(first - second) < 1e-5;
    // The same view is picked in the same step, whoever is shown.
    const shown = photometric!.map((value, step) =>
      ["a", "b"].filter((_, i) => near(value, [a, b][i]!.photometric![step]!)).join()
    );
    assert.deepEqual(shown.toSorted(), ["a", "b"], `${photometric} is neither of them`);
    const names = Object.keys(PAPER_WEIGHTS) as (keyof typeof PAPER_WEIGHTS)[];
    for (const [step, value] of total!.entries()) {
      const sum = names.reduce((sum, name) => sum + PAPER_WEIGHTS[name] * both[name]![step]!, 0);
      assert.ok(near(value, sum), `step ${step}: ${value}, and the terms give ${sum}`);
    }
  }));

/** The ablation without FTIM from three views of a face to a learned map and its textures. */
import assert from "node:assert/strict";
import { reconstructMap } from "../../../stages/methods/reconstruct_map.ts";
import { withoutFtim } from "../../../stages/methods/without_ftim.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { trainFtim } from "../../../stages/training/train.ts";
import { trainMap } from "../../../stages/training/train_map.ts";
import { meanDifference } from "../face_lab.ts";
import { readMap } from "../geometry_lab.ts";
import { withScratch } from "../scratch.ts";
import { layTriplet, lossColumns, VIEWS } from "./training_lab.ts";

Deno.test("a map that all losses teach changes what was not seen, and leaves what was seen as it is", () =>
  withScratch(async (scratch) => {
    const { data, faces } = await layTriplet(scratch);
    const weights = trainMap(data, { learningRate: 0.02, steps: 12 });
    const { trees } = await scratch.run({
      weights,
      unwrapped: faces.unwrapped,
      made: reconstructMap({ ...faces, weights }),
      untrained: reconstructMap({ ...faces, weights: trainMap(data, { learningRate: 1e-9, steps: 1 }) }),
      copy: withoutFtim(faces, { fill: "copy" }),
    });
    const { photometric, regularisation } = lossColumns(await trees.weights.text("losses.csv"));
    assert.ok(photometric!.at(-1)! < photometric![0]!, `${photometric}`);
    assert.ok(regularisation!.every((value) => value >= 0));
    for (const key of VIEWS) {
      const { visibility } = await readSeen(trees.unwrapped, key);
      const read = (tree: typeof trees.made) => readMap(tree, `${key}.texture.png`);
      const [made, untrained, copy] = [await read(trees.made), await read(trees.untrained), await read(trees.copy)];
      assert.deepEqual(untrained, copy, "untrained it is the copy");
      const where = (holds: (share: number) => boolean) =>
        meanDifference(made, copy, visibility.map((share) => holds(share) ? 1 : 0));
      assert.equal(where((share) => share === 1), 0);
      assert.ok(where((share) => share === 0) > 1e-3);
    }
    const other = trainFtim(data, { steps: 1, shape: { widths: [8, 16], fullWidth: 8 } });
    await assert.rejects(scratch.run({ wrong: reconstructMap({ ...faces, weights: other }) }), /map/);
  }));

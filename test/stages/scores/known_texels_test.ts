import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { encodeGreyPng, readImage } from "../../../stages/faces/photograph.ts";
import { knownTexels } from "../../../stages/scores/known_texels.ts";
import { photographsOf } from "../../../stages/synthetic/parts/synthetic_plan.ts";
import { withScratch } from "../scratch.ts";

const SIZE = 16;

Deno.test("a texel of a head is as known as the portrait that showed it least", async () => {
  await withScratch(async ({ folder, write, run }) => {
    const maps = { "a/0": [0, 0.2, 1, 1], "b/0": [1, 0.6, 0.4, 1] };
    for (const [key, values] of Object.entries(maps)) {
      const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => values[i % 4]!);
      const png = await encodeGreyPng({ width: SIZE, height: SIZE, data });
      await write(`unwrapped/${key}.visibility.png`, png);
    }
    const heads = [
      { identity: "1", expression: "1_neutral", photographs: ["b/0"] },
      { identity: "2", expression: "2_drawn", photographs: ["a/0", "b/0"] },
    ];
    await write("truth/textures/photographs.json", JSON.stringify(heads));
    const { trees: { known } } = await run({
      known: knownTexels({
        truth: cast(sourceFolder(`${folder}/truth`), "synthetic"),
        unwrapped: cast(sourceFolder(`${folder}/unwrapped`), "unwrapped"),
      }),
    });
    const levels = async (path: string) => {
      const { data } = await readImage(known, path);
      return [0, 1, 2, 3].map((i) => Math.round(255 * data[3 * i]!));
    };
    assert.deepEqual(known.paths, ["1/1_neutral.visibility.png", "2/2_drawn.visibility.png"]);
    assert.deepEqual(await levels("1/1_neutral.visibility.png"), [255, 153, 102, 255]);
    assert.deepEqual(await levels("2/2_drawn.visibility.png"), [0, 51, 102, 255]);
  });
});

Deno.test("photographsOf() gives one photograph of each person of a head, counted round", () => {
  const sources = ["a", "b", "a", "c"].map((person, key) => ({ person, key }));
  const keys = (photograph: number, ...persons: string[]) =>
    photographsOf({ head: { persons, share: 0.5, jitter: [] }, photograph }, sources).map(({ key }) => key);
  assert.deepEqual(keys(0, "a", "c"), [0, 3]);
  assert.deepEqual(keys(1, "a", "c"), [2, 3]);
  assert.deepEqual(keys(2, "a"), [0]);
});

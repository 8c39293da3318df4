import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { encodeGreyPng, encodePng, readImage } from "../../../stages/faces/photograph.ts";
import { coarseTextures } from "../../../stages/scores/coarse_textures.ts";
import { withScratch } from "../scratch.ts";

const SIZE = 16;

Deno.test("unseen texels get the true colours that a portrait showed, as coarse as is asked for", async () => {
  await withScratch(async ({ folder, write, run }) => {
    const picture = (colour: (x: number) => number) =>
      encodePng({
        width: SIZE,
        height: SIZE,
        data: Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, i) => colour(Math.floor(i / 3) % SIZE)),
      });
    const grey = (value: (x: number) => number) =>
      encodeGreyPng({
        width: SIZE,
        height: SIZE,
        data: Float32Array.from({ length: SIZE * SIZE }, (_, i) => value(i % SIZE)),
      });
    for (const [key, identity] of [["v/0", "1"], ["v/1", "2"], ["v/2", "3"]]) {
      await write(`crops/${key}.json`, JSON.stringify({ identity, expression: "a" }));
      await write(`guesses/${key}.png`, await picture(() => 100));
      await write(`unwrapped/${key}.visibility.png`, await grey((x) => Number(x < 8)));
    }
    // stripes about 120; head 2 was never seen, of head 3 nothing is there
    for (const identity of ["1", "2"]) {
      await write(`truth/textures/${identity}/a.texture.png`, await picture((x) => x % 2 === 0 ? 110 : 130));
      await write(`known/${identity}/a.visibility.png`, await grey(() => Number(identity === "1")));
    }
    const of = <K extends string>(name: string, kind: K) => cast(sourceFolder(`${folder}/${name}`), kind);
    const inputs = {
      crops: of("crops", "aligned"),
      unwrapped: of("unwrapped", "unwrapped"),
      guesses: of("guesses", "guesses"),
      truth: of("truth", "synthetic"),
      known: of("known", "known"),
    };
    const { trees, summary } = await run({ coarse: coarseTextures(inputs, { windows: 2 }) });
    const row = async (key: string) => {
      const { data } = await readImage(trees.coarse, `${key}.texture.png`);
      return Array.from({ length: SIZE }, (_, x) => Math.round(255 * data[3 * (8 * SIZE + x)]!));
    };
    const corrected = await row("v/0");
    assert.deepEqual(corrected.slice(0, 8), Array(8).fill(100), "what was seen stays");
    for (const value of corrected.slice(8)) assert.ok(Math.abs(value - 120) <= 7, `${corrected}`);
    assert.deepEqual(await row("v/1"), Array(SIZE).fill(100), "nothing is known of it");
    assert.ok(!trees.coarse.has("v/2.texture.png"));
    assert.equal(summary.skipped, 1);
  });
});

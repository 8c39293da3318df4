import assert from "node:assert/strict";
import sharp from "sharp";
import { cast, sourceFolder } from "@ftim/pipeline";
import { detector } from "../../../experiments/faces.ts";
import { faceMesh } from "../../../experiments/regressors.ts";
import { type ImportedImage, importPhotographs } from "../../../stages/data/import.ts";
import { bestTurn, turnUpright } from "../../../stages/data/upright.ts";
import { decodePhotograph } from "../../../stages/faces/photograph.ts";
import { asset } from "../../assets.ts";
import { withScratch } from "../scratch.ts";

const trial = (turns: number, score: number, tilt = 0) => ({ turns, score, tilt });

Deno.test("bestTurn() leaves a tilted, bowed or cut face as it is where another turn's mesh is a wrong one", () => {
  // what the networks say of a cut face that is tilted by 45°, and of one that looks down
  assert.equal(bestTurn([trial(0, 1, 44), trial(1, 0.63, -6), trial(2, 0.98, 14), trial(3, 1 - 2.4e-7, -22)]), 0);
  assert.equal(bestTurn([trial(0, 0.969, 4), trial(1, 0, 5), trial(2, 0.982, 14), trial(3, 0)]), 0);
  assert.equal(bestTurn([trial(0, 0.6, 4), trial(1, 0, 5), trial(2, 0.982, 14), trial(3, 0)]), 2);
  // two meshes of one face
  assert.equal(bestTurn([trial(0, 1 - 2e-7, 54), trial(1, 0.999, -33), trial(2, 0.997, 32), trial(3, 1, -32)]), 3);
});

Deno.test("bestTurn() takes the highest score; among equals what is upright, then the smallest tilt", () => {
  assert.equal(bestTurn([trial(0, 0.2), trial(1, 0.9), trial(2, 0.99), trial(3, 1)]), 3);
  assert.equal(bestTurn([trial(0, 1, 20), trial(1, 1, 3), trial(2, 1), trial(3, 0.5)]), 0);
  assert.equal(bestTurn([trial(0, 1, 44), trial(1, 0.9), trial(2, 1, 37), trial(3, 1, -33)]), 3);
  assert.equal(bestTurn([trial(0, 1, 35), trial(1, 0.9), trial(2, 1, 25), trial(3, 1, -55)]), 0);
  // a tilted face on its head: two meshes of it, of which the one that is turned further is less exact
  assert.equal(bestTurn([trial(0, 0.9999, 24), trial(1, 1, -54), trial(2, 1, 27), trial(3, 0.09, -29)]), 2);
  assert.equal(bestTurn([trial(0, 0.997, -20), trial(1, 0.03, 9), trial(2, 1, -18), trial(3, 1 - 3.6e-7, 56)]), 2);
  assert.equal(bestTurn([trial(0, 0.2, -24), trial(1, 0.24, 13), trial(2, 1, -24), trial(3, 1, 46)]), 2);
  assert.equal(bestTurn([trial(0, 0), trial(1, 0), trial(2, 0), trial(3, 0)]), 0);
});

Deno.test("photographs that lie on a side or on their head are turned upright, the others left as they are", () =>
  withScratch(async ({ folder, write, run }) => {
    const portrait = await asset("train/015f/015f.jpg");
    const upright = (await decodePhotograph(portrait)).image;
    const cases = { "a0": 0, "b180": 180, "c75": 75 };
    for (const [name, degrees] of Object.entries(cases)) {
      const bytes = degrees === 0
        ? portrait
        : await sharp(portrait).rotate(degrees, { background: "#808080" }).png().toBuffer();
      await write(`photos/${name}.${degrees === 0 ? "jpg" : "png"}`, bytes);
    }
    await write(
      "photos/none.png",
      await sharp({ create: { width: 64, height: 48, channels: 3, background: "#7a6" } }).png().toBuffer(),
    );
    const images = importPhotographs(cast(sourceFolder(`${folder}/photos`), "folder"), { identities: "unknown" });
    const { trees } = await run({ images, turned: turnUpright({ images, detector: detector(), mesh: faceMesh() }) });
    const about = (key: string) => trees.turned.json<ImportedImage>(`${key}.json`);
    const pixels = async (key: string) => (await decodePhotograph(await trees.turned.bytes(`${key}.png`))).image;
    for (const key of ["b180"]) {
      const { data, width, height } = await pixels(key);
      assert.deepEqual([width, height], [upright.width, upright.height], key);
      assert.ok(data.every((value, i) => Math.abs(value - upright.data[i]!) < 1e-6), key);
      assert.match((await about(key)).notes.join(), /turned by \d+° clockwise, so that faces stand upright/);
    }
    assert.match((await about("c75")).notes.join(), /turned by 270°/);
    for (const key of ["a0", "none"]) {
      assert.deepEqual(await trees.turned.bytes(`${key}.png`), await trees.images.bytes(`${key}.png`), key);
      assert.deepEqual((await about(key)).notes, (await trees.images.json<ImportedImage>(`${key}.json`)).notes);
    }
  }));

import assert from "node:assert/strict";
import sharp from "sharp";
import { cast, sourceFolder } from "@ftim/pipeline";
import { smallPictures } from "../../../stages/figures/small_pictures.ts";
import { withScratch } from "../scratch.ts";

/** A picture that no encoder makes small: noise. And one that every encoder does. */
async function pictures(): Promise<Record<string, Uint8Array>> {
  const raw = { width: 320, height: 240, channels: 3 as const };
  let state = 1;
  const noise = Uint8Array.from({ length: 320 * 240 * 3 }, () => (state = (state * 16807) % 2147483647) & 255);
  const flat = noise.map((_, i) => [200, 120, 40][i % 3]!);
  return {
    "noise.png": await sharp(noise, { raw }).png().toBuffer(),
    "flat.png": await sharp(flat, { raw }).png().toBuffer(),
  };
}

Deno.test("a figure becomes a WebP within the limit, by quality alone where that is enough", async () => {
  await withScratch(async ({ folder, write, run }) => {
    for (const [path, bytes] of Object.entries(await pictures())) await write(`figure/${path}`, bytes);
    await write("figure/data.svg", "<svg/>");
    const figure = cast(sourceFolder(`${folder}/figure`), "figure");
    const { trees } = await run({ small: smallPictures({ figure }, { bytes: 15_000 }) });
    assert.deepEqual(trees.small.paths, ["flat.webp", "noise.webp"]);
    for (const path of trees.small.paths) assert.ok(trees.small.entry(path).size <= 15_000);
    const [flat, noise] = await Promise.all(
      ["flat.webp", "noise.webp"].map(async (path) => await sharp(await trees.small.bytes(path)).metadata()),
    );
    assert.deepEqual([flat!.format, flat!.width, flat!.height], ["webp", 320, 240]);
    assert.ok(noise!.width! < 320 && Math.abs(noise!.width! / noise!.height! - 320 / 240) < 0.02);
    const { data } = await sharp(await trees.small.bytes("flat.webp")).raw().toBuffer({ resolveWithObject: true });
    assert.ok([...data].every((value, i) => Math.abs(value - [200, 120, 40][i % 3]!) <= 4), "the colours are kept");
  });
});

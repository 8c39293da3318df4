/** Pictures of other programs, cut out as their photographs are. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { cast, sourceFolder } from "@ftim/pipeline";
import { alignFaces } from "../../../stages/data/align.ts";
import type { Detection } from "../../../stages/data/detect.ts";
import { importPhotographs } from "../../../stages/data/import.ts";
import { decodePixels } from "../../../stages/faces/photograph.ts";
import { overlayFaces } from "../../../stages/scores/overlay.ts";
import { overlayOf } from "../../../stages/scores/parts/overlay_pixels.ts";
import { randomStream } from "../../face/head.ts";
import { withScratch } from "../scratch.ts";

/** A picture of noise, with an alpha channel where `alpha` says how opaque a pixel is, 0..255. */
async function noise(
  { width, height, seed, alpha }: {
    width: number;
    height: number;
    seed: number;
    alpha?: (x: number) => number;
  },
): Promise<Uint8Array> {
  const next = randomStream(seed);
  const channels = alpha === undefined ? 3 : 4;
  const data = Uint8Array.from(
    { length: channels * width * height },
    (_, i) => i % channels === 3 ? alpha!(Math.floor(i / 4) % width) : Math.floor(256 * next()),
  );
  return await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}

const SIZE = { width: 300, height: 220 };
const LARGE = { width: 2400, height: 1200 };

/** Detections of one or two faces. */
function detected(size: { width: number; height: number }, count: number): string {
  const faces = Array.from({ length: count }, (_, i) => {
    return { left: 40 + 120 * i, top: 50, width: 80, height: 90, score: 1 };
  });
  return JSON.stringify({ ...size, faces, found: count } satisfies Detection);
}

Deno.test("an overlay is cut out as its photograph is; what is transparent shows the photograph", () =>
  withScratch(async ({ folder, write, run }) => {
    const [a, large] = await Promise.all([noise({ ...SIZE, seed: 1 }), noise({ ...LARGE, seed: 2 })]);
    for (const name of ["same", "clear", "own", "missing", "small", "twice", "broken"]) {
      await write(`photos/${name}.png`, a);
    }
    await write("photos/deep/large.png", large);
    const faces = { own: 2, "deep/large": 1 } as Record<string, number>;
    for (const name of ["same", "clear", "own", "missing", "small", "twice", "broken"]) {
      await write(`detections/${name}.json`, detected(SIZE, faces[name] ?? 1));
    }
    await write("detections/deep/large.json", detected({ width: 2048, height: 1024 }, 1));

    const other = await noise({ ...SIZE, seed: 3 });
    await write("overlays/same.png", a);
    await write("overlays/deep/large.png", large);
    await write("overlays/clear.png", await noise({ ...SIZE, seed: 3, alpha: (x) => x < 150 ? 255 : 0 }));
    await write("overlays/own.png", a);
    await write("overlays/own/1.png", other);
    await write("overlays/small.png", await noise({ width: 150, height: 110, seed: 4 }));
    await write("overlays/twice.png", a);
    await write("overlays/twice.webp", await sharp(a).webp({ lossless: true }).toBuffer());
    await write("overlays/broken.png", "no picture");

    const images = importPhotographs(sourceFolder(join(folder, "photos")), { identities: "unknown" });
    const detections = cast(sourceFolder(join(folder, "detections")), "detections");
    const crops = alignFaces({ images, detections });
    const overlays = sourceFolder(join(folder, "overlays"));
    const { trees } = await run({ crops, renders: overlayFaces({ crops, images, overlays }) });

    const equal = async (face: string) =>
      assert.deepEqual(await trees.renders.bytes(`${face}.render.png`), await trees.crops.bytes(`${face}.png`), face);
    await equal("same/0");
    await equal("own/0");
    await equal("deep/large/0");
    const pixels = async (tree: typeof trees.crops, path: string) => (await decodePixels(await tree.bytes(path))).image;
    const [own, photograph] = [
      await pixels(trees.renders, "own/1.render.png"),
      await pixels(trees.crops, "own/1.png"),
    ];
    assert.notDeepEqual(own.data, photograph.data, "a face's own picture goes first");
    // the crop of the first face holds the photograph's columns from 27 to 133: all opaque
    const clear = await pixels(trees.renders, "clear/0.render.png");
    assert.notDeepEqual(clear.data, (await pixels(trees.crops, "clear/0.png")).data);
    assert.deepEqual([...trees.renders.skipped].map(([key, reason]) => [key, reason.replace(/ \(.*/, "")]), [
      ["broken/0", "broken.png: not an image, or a format that cannot be read"],
      ["missing/0", "there is no missing.png and no missing/0.png"],
      ["small/0", "small.png is 150×110 pixels, its photograph 300×220"],
      ["twice/0", "two pictures fit it, twice.png and twice.webp"],
    ]);
  }));

Deno.test("a wholly transparent overlay scores as the photograph itself", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("photos/a.png", await noise({ ...SIZE, seed: 1 }));
    await write("detections/a.json", detected(SIZE, 1));
    await write("overlays/a.png", await noise({ ...SIZE, seed: 2, alpha: () => 0 }));
    const images = importPhotographs(sourceFolder(join(folder, "photos")));
    const crops = alignFaces({ images, detections: cast(sourceFolder(join(folder, "detections")), "detections") });
    const renders = overlayFaces({ crops, images, overlays: sourceFolder(join(folder, "overlays")) });
    const { trees } = await run({ crops, renders });
    assert.deepEqual(await trees.renders.bytes("a/0.render.png"), await trees.crops.bytes("a/0.png"));
  }));

Deno.test("names: a dot within a name counts as an underscore, and folders stay", () => {
  const paths = ["trip/IMG.2024.png", "trip/IMG_2024/1.png", "b.jpg"];
  assert.equal(overlayOf(paths, { source: "trip/IMG_2024.jpg", face: 0 }), "trip/IMG.2024.png");
  assert.equal(overlayOf(paths, { source: "trip/IMG_2024.jpg", face: 1 }), "trip/IMG_2024/1.png");
  assert.throws(() => overlayOf(paths, { source: "IMG_2024.jpg", face: 0 }), /there is no IMG_2024\.png/);
});

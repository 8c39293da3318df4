/** Small faces in large photographs: portraits of real persons on canvases of 12 megapixels. */
import assert from "node:assert/strict";
import { reproduce, sourceFolder } from "@ftim/pipeline";
import { facesIn, SMALLEST_FACE } from "../../experiments/photograph.ts";
import type { Detection } from "../../stages/data/detect.ts";
import type { ImportedImage } from "../../stages/data/import.ts";
import { asset } from "../assets.ts";
import { quietEngine } from "../engine.ts";
import { withScratch } from "../stages/scratch.ts";

const SIZE = { width: 4032, height: 3024 };
/** Portraits of persons who are in no training and of one who is. */
const PORTRAITS = ["held/005m/005m.jpg", "held/017f/017f.jpg", "held/010m/010m.jpg", "train/015f/015f.jpg"] as const;
const WIDTHS = [SMALLEST_FACE, 55, 70, 110, 300];

/** A canvas with a portrait of each width, from left to right, and where their faces are. */
async function canvas(widths: readonly number[]): Promise<{ png: Uint8Array; centres: number[] }> {
  const { default: sharp } = await import("sharp");
  const { openDetector } = await import("../../nets/detector.ts");
  const { decodePixels } = await import("../../stages/faces/photograph.ts");
  const detector = await openDetector(await asset("models/fr_detect.onnx"));
  const parts = [];
  const centres: number[] = [];
  for (const [i, width] of widths.entries()) {
    const bytes = await asset(PORTRAITS[i % PORTRAITS.length]!);
    const { image } = await decodePixels(bytes);
    const [box] = await detector.detect(image);
    const scale = width / box!.width;
    const [left, top] = [60 + i * 640, 90 + 311 * i];
    const input = await sharp(bytes).resize(Math.round(scale * image.width)).png().toBuffer();
    parts.push({ input, left, top });
    centres.push(left + scale * (box!.left + box!.width / 2));
  }
  await detector.dispose();
  const background = { create: { ...SIZE, channels: 3, background: "#8799a8" } } as const;
  return {
    png: await sharp(background).composite(parts).removeAlpha().png({ compressionLevel: 1 }).toBuffer(),
    centres,
  };
}

/** Patterns in which there is no face: none, noise, and soft spots of several sizes. */
async function pattern(spot: number): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const [width, height] = [Math.ceil(SIZE.width / spot), Math.ceil(SIZE.height / spot)];
  let state = spot;
  const data = Uint8Array.from({ length: 3 * width * height }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
  return await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(SIZE.width, SIZE.height, { kernel: "cubic", fit: "fill" }).jpeg().toBuffer();
}

Deno.test("faces of 40 pixels and more are found in 12 megapixels, in the file's pixels; none where none is", () =>
  withScratch(async ({ folder, write }) => {
    const { default: sharp } = await import("sharp");
    const { png, centres } = await canvas(WIDTHS);
    await write("photographs/faces.png", png);
    await write("photographs/turned.png", await sharp((await canvas([70, 70, 70])).png).rotate(90).png().toBuffer());
    await write("photographs/empty.png", (await canvas([])).png);
    for (const spot of [1, 24, 90]) await write(`photographs/pattern${spot}.jpg`, await pattern(spot));
    const { imported, images, detections, meshes } = facesIn(sourceFolder(`${folder}/photographs`));
    const { trees } = await reproduce({ imported, images, detections, meshes }, quietEngine(`${folder}/store`));

    const about = await trees.images.json<ImportedImage>("faces.json");
    assert.deepEqual([about.width, about.height, about.original], [SIZE.width, SIZE.height, SIZE]);
    const { faces } = await trees.detections.json<Detection>("faces.json");
    const found = faces.filter((_, i) => trees.meshes.has(`faces/${i}.safetensors`));
    assert.equal(found.length, WIDTHS.length);
    for (const [i, { left, width }] of found.entries()) {
      assert.ok(Math.abs(width / WIDTHS[i]! - 1) < 0.25, `face ${i}: ${width} pixels wide`);
      assert.ok(Math.abs(left + width / 2 - centres[i]!) < 0.1 * WIDTHS[i]!, `face ${i} at ${left + width / 2}`);
    }
    const turned = await trees.images.json<ImportedImage>("turned.json");
    assert.deepEqual([turned.notes, turned.width], [
      ["turned by 270° clockwise, so that faces stand upright"],
      SIZE.width,
    ]);
    const upright = trees.meshes.paths.filter((path) => path.startsWith("turned/"));
    assert.equal(upright.length, 3);
    const others = trees.meshes.paths.filter((path) => !path.startsWith("faces/") && !path.startsWith("turned/"));
    assert.deepEqual(others, []);
  }));

Deno.test("a photograph of more pixels than memory holds is reduced, and says from what", () =>
  withScratch(async ({ folder, write }) => {
    const { default: sharp } = await import("sharp");
    const large = { create: { width: 12000, height: 8400, channels: 3, background: "#8799a8" } } as const;
    await write("photographs/large.jpg", await sharp(large).jpeg().toBuffer());
    const { imported } = facesIn(sourceFolder(`${folder}/photographs`));
    const { trees } = await reproduce({ imported }, quietEngine(`${folder}/store`));
    const { width, height, original, notes } = await trees.imported.json<ImportedImage>("large.json");
    assert.deepEqual(original, { width: 12000, height: 8400 });
    assert.ok(width * height > 4.9e7 && width * height <= 5.01e7, `${width}×${height}`);
    assert.deepEqual(notes, ["reduced from 12000×8400 pixels"]);
  }));

import assert from "node:assert/strict";
import sharp from "sharp";
import { cast, sourceFolder } from "@ftim/pipeline";
import { type Camera, extrinsics, formatCanonicalFrames, formatParams } from "../../../stages/data/parts/facescape.ts";
import { type ImportedImage, importPhotographs } from "../../../stages/data/import.ts";
import { decodePhotograph } from "../../../stages/faces/photograph.ts";
import { withScratch } from "../scratch.ts";

/** A picture file whose left half is red and right half blue. */
function picture({ width = 80, height = 60 }: { width?: number; height?: number } = {}) {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) data[3 * i + (i % width < width / 2 ? 0 : 2)] = 255;
  return sharp(data, { raw: { width, height, channels: 3 } });
}

const jpeg = await picture().jpeg({ chromaSubsampling: "4:4:4" }).toBuffer();

Deno.test("a folder of good and bad photographs: the good ones are imported, each bad one is skipped by name", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("good.jpg", jpeg);
    await write("people/anna/1.JPG", jpeg);
    await write("zero.jpg", new Uint8Array());
    await write("cut.jpg", jpeg.subarray(0, jpeg.length >> 1));
    await write("text.png", "I am no image");
    await write("notes.txt", "neither am I");
    await write("cmyk.jpg", await picture().toColourspace("cmyk").jpeg().toBuffer());
    await write("deep.png", await picture().toColourspace("rgb16").png().toBuffer());
    await write("turned.jpg", await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer());
    await write("wide.jpg", await picture({ width: 10_000, height: 300 }).jpeg().toBuffer());
    const { trees: { images } } = await run({ images: importPhotographs(sourceFolder(folder)) });
    const imported = images.paths.filter((path) => path.endsWith(".png"));
    assert.deepEqual(imported, ["cmyk.png", "deep.png", "good.png", "people/anna/1.png", "turned.png", "wide.png"]);
    assert.deepEqual([...images.skipped.keys()], ["cut", "text", "zero"]);
    assert.match(images.skipped.get("cut")!, /^cut\.jpg: truncated or damaged/);
    assert.match(images.skipped.get("text")!, /^text\.png: not an image/);
    assert.equal(images.skipped.get("zero"), "zero.jpg: the file is empty (0 bytes)");

    const anna = await images.json<ImportedImage>("people/anna/1.json");
    assert.deepEqual(anna, {
      source: "people/anna/1.JPG",
      width: 80,
      height: 60,
      original: { width: 80, height: 60 },
      notes: [],
      identity: "anna",
      expression: null,
      view: null,
      camera: null,
      angles: null,
    });
    assert.equal((await images.json<ImportedImage>("good.json")).identity, null);
    const wide = await images.json<ImportedImage>("wide.json");
    assert.deepEqual([wide.width, wide.height, wide.original], [2048, 61, { width: 10_000, height: 300 }]);
    const { image } = await decodePhotograph(await images.bytes("turned.png"));
    assert.deepEqual([image.width, image.height], [60, 80]);
    assert.deepEqual(Array.from(image.data.subarray(0, 3), Math.round), [1, 0, 0]); // left became top
    assert.deepEqual(Array.from(image.data.subarray(-3), Math.round), [0, 0, 1]);
  }));

Deno.test("photographs whose names differ only after a dot are all imported, under names of their own", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("IMG.2020.jpg", jpeg);
    await write("IMG.2021.jpg", jpeg);
    await write("IMG.zero.jpg", "");
    const { trees: { images } } = await run({ images: importPhotographs(sourceFolder(folder)) });
    assert.deepEqual(images.paths.filter((path) => path.endsWith(".png")), ["IMG/2020_jpg.png", "IMG/2021_jpg.png"]);
  }));

Deno.test("a folder without photographs is an error that says what was there", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("notes.txt", "x");
    await assert.rejects(
      run({ images: importPhotographs(sourceFolder(folder)) }),
      /there are no photographs to import: 1 files \(notes\.txt/,
    );
  }));

Deno.test("one new photograph is one import more", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("a.jpg", jpeg);
    await write("b.jpg", jpeg);
    await run({ images: importPhotographs(sourceFolder(folder)) });
    await write("c.jpg", jpeg);
    const { summary, trees } = await run({ images: importPhotographs(sourceFolder(folder)) });
    assert.deepEqual([summary.stages["survey"]?.executed, summary.stages["import"]?.executed], [1, 1]);
    assert.equal(trees.images.paths.length, 6);
  }));

const camera: Camera = {
  k: [[300, 0, 39.5], [0, 300, 29.5], [0, 0, 1]],
  rt: extrinsics({ yaw: 25, pitch: 0, roll: 0 }, 600),
  distortion: [0, 0, 0, 0, 0],
  width: 80,
  height: 60,
  valid: true,
};
const canonical = { scale: 1, rt: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] };

Deno.test("captures in FaceScape's layout come with identity, expression, camera and known angles", () =>
  withScratch(async ({ folder, write, run }) => {
    const cameras = new Map([
      [0, camera],
      [1, { ...camera, valid: false }],
      [2, { ...camera, distortion: [2, 0, 0, 0, 0] }],
      [3, { ...camera, width: 4000, height: 3000 }],
    ]);
    for (const view of [0, 1, 2, 3, 4]) await write(`7/2_smile/${view}.jpg`, jpeg);
    await write("7/2_smile/params.json", JSON.stringify(formatParams(cameras)));
    await write("7/3_mouth_stretch/0.jpg", jpeg);
    await write("7/3_mouth_stretch/params.json", "{ this is not JSON");
    await write("8/1_neutral/0.jpg", jpeg);
    await write("Rt_scale_dict.json", JSON.stringify(formatCanonicalFrames(new Map([["7/2", canonical]]))));
    const { trees: { images } } = await run({ images: importPhotographs(cast(sourceFolder(folder), "captures")) });

    const first = await images.json<ImportedImage>("7/2_smile/0.json");
    assert.deepEqual([first.identity, first.expression, first.view], ["7", "2_smile", 0]);
    assert.deepEqual(first.camera, camera);
    assert(Math.abs(first.angles!.yaw - 25) < 1e-9);
    const straight = await images.json<ImportedImage>("7/2_smile/2.json");
    assert.deepEqual(straight.notes, ["lens distortion removed"]);
    assert.deepEqual(straight.camera, camera);
    assert.notEqual(images.entry("7/2_smile/2.png").sha256, images.entry("7/2_smile/0.png").sha256);
    const plain = await images.json<ImportedImage>("8/1_neutral/0.json");
    assert.deepEqual([plain.identity, plain.camera, plain.angles], ["8", null, null]);

    assert.deepEqual([...images.skipped.keys()], ["7/2_smile/1", "7/2_smile/3", "7/2_smile/4", "7/3_mouth_stretch/0"]);
    assert.match(images.skipped.get("7/2_smile/1")!, /marks view 1 as not valid/);
    assert.match(
      images.skipped.get("7/2_smile/3")!,
      /7\/2_smile\/3\.jpg: is 80×60 pixels, but params\.json says 4000×3000/,
    );
    assert.match(images.skipped.get("7/2_smile/4")!, /7\/2_smile\/params\.json has no view 4/);
    assert.match(images.skipped.get("7/3_mouth_stretch/0")!, /^7\/3_mouth_stretch\/params\.json is not JSON: /);
  }));

Deno.test("a reduced photograph's camera is reduced with it", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("7/2_smile/0.jpg", await picture({ width: 160, height: 120 }).jpeg().toBuffer());
    const large = { ...camera, k: [[600, 0, 79.5], [0, 600, 59.5], [0, 0, 1]], width: 160, height: 120 };
    await write("7/2_smile/params.json", JSON.stringify(formatParams(new Map([[0, large]]))));
    const { trees: { images } } = await run({ images: importPhotographs(sourceFolder(folder), { maxSide: 80 }) });
    const { camera: reduced } = await images.json<ImportedImage>("7/2_smile/0.json");
    assert.deepEqual([reduced?.width, reduced?.height, reduced?.k], [80, 60, [[300, 0, 39.5], [0, 300, 29.5], [
      0,
      0,
      1,
    ]]]);
  }));

import assert from "node:assert/strict";
import { preparePhotograph } from "../../../experiments/photographs/prepare.ts";
import { bmp, HEIC, HEIGHT, JXL, ramp, WIDTH } from "./pictures.ts";

async function pixelsOf(bytes: Uint8Array) {
  const { default: sharp } = await import("sharp");
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    ...info,
    at: (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)],
  };
}

const own = (bytes: Uint8Array) => new Uint8Array(bytes);

Deno.test("HEIC, JPEG XL and BMP become PNG with the same colours, the right way up", async () => {
  for (const [name, bytes, tolerance] of [["a.heic", HEIC, 12], ["a.jpg", JXL, 12], ["a", await bmp(), 0]] as const) {
    const { extension, content, notes } = await preparePhotograph(name, bytes);
    assert.equal(extension, "png", name);
    assert.deepEqual(notes, []);
    const { width, height, at } = await pixelsOf(content!);
    assert.deepEqual([width, height], [WIDTH, HEIGHT]);
    for (const [x, y] of [[4, 4], [60, 4], [4, 44]] as const) {
      const expected = [4 * x, 5 * y, 60];
      const found = at(x, y);
      assert.ok(
        found.every((value, c) => Math.abs(value - expected[c]!) <= tolerance),
        `${name}: ${found} at ${x}, ${y}`,
      );
    }
  }
});

Deno.test("what is read as it is is handed on untouched, under the extension of its content", async () => {
  const picture = await ramp();
  const jpeg = own(await picture.clone().jpeg().toBuffer());
  for (const name of ["photo.png", ".hidden", "back\\slash", "a.jfif"]) {
    assert.deepEqual(await preparePhotograph(name, jpeg), { extension: "jpg", content: null, notes: [] });
  }
  for (const format of ["png", "webp", "tiff", "gif", "avif"] as const) {
    const { extension, content } = await preparePhotograph("x", own(await picture.clone().toFormat(format).toBuffer()));
    assert.deepEqual([extension, content], [format === "tiff" ? "tif" : format, null]);
  }
});

Deno.test("what is no photograph is named, with what to do about it", async () => {
  const text = (words: string) => new TextEncoder().encode(words.padEnd(70));
  const refused = (name: string, bytes: Uint8Array<ArrayBuffer>, message: RegExp) =>
    assert.rejects(preparePhotograph(name, bytes), (error: Error) => {
      assert.match(error.message, message);
      assert.ok(
        error.message.startsWith(`${name}: `) && !/stage|survey|import|seek/.test(error.message),
        error.message,
      );
      return true;
    });
  await refused("a.jpg", new Uint8Array(), /empty/);
  await refused("a.jpg", text("no image"), /not a picture/);
  await refused("a.jpg", text("BM is how this text begins"), /not a picture/);
  await refused("a.jpg", text("<!DOCTYPE html><html>"), /a web page and no picture.*browser/);
  await refused("a.jpg", text("%PDF-1.7"), /a PDF document.*export/);
  await refused("a.jpg", text("\0\0\0\x20ftypisom\0\0\0\0isom"), /a video.*frame/);
  await refused("a.jpg", text("version https://git-lfs.github.com/spec/v1"), /pointer of Git LFS/);
  await refused("a.jp2", text("\0\0\0\x0cjP  \r\n\x87\n"), /JPEG 2000.*convert/);
  await refused("a.heic", HEIC.slice(0, 300), /HEIC file is damaged or cut short/);
  await refused("a.jxl", JXL.slice(0, 40), /JPEG XL file is damaged/);
  await refused("a.bmp", (await bmp()).slice(0, 60), /BMP file is damaged/);
});

Deno.test("a camera's raw file is not taken for the thumbnail that it begins with", async () => {
  const { default: sharp } = await import("sharp");
  const tiff = own(await (await ramp()).tiff({ compression: "none" }).toBuffer());
  assert.equal((await preparePhotograph("a.tif", tiff)).extension, "tif");
  // one entry of the directory becomes the DNG version
  const view = new DataView(tiff.buffer);
  const little = tiff[0] === 0x49;
  const directory = view.getUint32(4, little);
  const last = directory + 2 + 12 * (view.getUint16(directory, little) - 1);
  view.setUint16(last, 50706, little);
  assert.equal((await sharp(tiff).metadata()).format, "tiff");
  await assert.rejects(preparePhotograph("a.dng", tiff), /a camera's raw file: develop it/);
});

Deno.test("pictures in which no face can be seen are refused by their size", async () => {
  const picture = await ramp();
  const sized = async (width: number, height: number) =>
    own(await picture.clone().resize(width, height, { fit: "fill" }).png().toBuffer());
  await assert.rejects(preparePhotograph("a", await sized(20, 15000)), /20×15000 pixels are too narrow a strip/);
  await assert.rejects(preparePhotograph("a", await sized(15, 40)), /15×40 pixels are too few/);
});

Deno.test("transparency: all of it is refused, the same everywhere is left out, some is said", async () => {
  const png = async (alpha: (x: number, y: number) => number) => own(await (await ramp(alpha)).png().toBuffer());
  await assert.rejects(preparePhotograph("a", await png(() => 0)), /wholly transparent/);
  assert.deepEqual(await preparePhotograph("a", await png(() => 255)), { extension: "png", content: null, notes: [] });
  const uniform = await preparePhotograph("a", await png(() => 128));
  assert.match(uniform.notes.join(), /same everywhere/);
  assert.deepEqual((await pixelsOf(uniform.content!)).at(60, 40), [240, 200, 60]);
  const half = await preparePhotograph("a", await png((x) => x < WIDTH / 2 ? 0 : 255));
  assert.match(half.notes.join(), /transparent in 50 %/);
  const { at } = await pixelsOf(half.content!);
  assert.deepEqual([at(4, 40), at(60, 40)], [[0, 0, 0], [240, 200, 60]]);
});

Deno.test("a JPEG without its last bytes is read with a note, one without its half is refused", async () => {
  const { default: sharp } = await import("sharp");
  const noise = Uint8Array.from({ length: 3 * 256 * 256 }, (_, i) => (i * 2654435761 >>> 24) & 127);
  const picture = sharp(noise, { raw: { width: 256, height: 256, channels: 3 } });
  for (const progressive of [false, true]) {
    const whole = own(await picture.clone().jpeg({ quality: 90, progressive }).toBuffer());
    const cut = await preparePhotograph("a.jpg", whole.slice(0, -60));
    assert.equal(cut.extension, "png");
    assert.match(cut.notes.join(), /lacks its last bytes/);
    assert.equal((await pixelsOf(cut.content!)).height, 256);
    await assert.rejects(preparePhotograph("a.jpg", whole.slice(0, whole.length / 2)), /cut short, .*again/);
    // what a camera appends behind the picture does not make it a cut one
    const appended = new Uint8Array([...whole, ...new Uint8Array(1000).fill(7)]);
    assert.deepEqual((await preparePhotograph("a.jpg", appended)).content, null);
  }
});

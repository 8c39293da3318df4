import assert from "node:assert/strict";
import sharp from "sharp";
import { contactSheet, spread } from "../../../../stages/figures/parts/contact_sheet.ts";
import { fontFile } from "../../../font.ts";

const picture = async (background: string) =>
  await sharp({ create: { width: 40, height: 30, channels: 3, background } }).png().toBuffer();

/** Red, green, blue of one pixel, and how many pixels of a rectangle are dark. */
async function look(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [...data.subarray(info.channels * (y * info.width + x)).subarray(0, 3)];
  const dark = (left: number, top: number, right: number, bottom: number) => {
    let count = 0;
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) if (at(x, y).every((v) => v < 128)) count++;
    return count;
  };
  return { at, dark, width: info.width, height: info.height };
}

Deno.test("contactSheet() puts each picture into its cell and writes labels with any fonts installed", async () => {
  const red = await picture("#f00"), blue = await picture("#00f");
  const rows = [{ label: "Input", pictures: [red, null] }, { label: "", pictures: [blue, red] }];
  const png = await contactSheet({
    headings: ["face_1", "a/very/long/key/that/would/not/fit/into/its/column"],
    rows,
    cell: 50,
    fontFile: await fontFile(),
  });
  const { at, dark, width, height } = await look(png);
  assert.deepEqual([width, height], [190 + 2 * 56, 24 + 2 * 56]);
  assert.deepEqual([at(215, 49), at(271, 49), at(215, 105), at(271, 105)], [[255, 0, 0], [221, 221, 221], [0, 0, 255], [
    255,
    0,
    0,
  ]]);
  assert.ok(dark(0, 24, 190, 74) > 100, "the label does not show");
  assert.equal(dark(0, 80, 190, 130), 0);
  assert.ok(dark(190, 0, 246, 24) > 30, "the heading does not show");
});

Deno.test("contactSheet() breaks a long label into lines beside its row", async () => {
  const pictures = [await picture("#fff")];
  const sheet = async (label: string) =>
    await look(
      await contactSheet({ headings: [""], rows: [{ label, pictures }], cell: 168, fontFile: await fontFile() }),
    );
  const long = await sheet("FTIM with a first guess (ours): render");
  assert.equal(long.dark(190, 0, 364, 198), 0, "the label runs into the picture");
  const lines = [[76, 95], [96, 116], [117, 138]] as const;
  for (const [top, bottom] of lines) {
    assert.ok(long.dark(0, top, 190, bottom) > 30, `no line between ${top}, ${bottom}`);
  }
  const short = await sheet("Unwrapped texture");
  assert.equal(short.dark(0, 0, 190, 90) + short.dark(0, 124, 190, 198), 0, "a label that fits stays on one line");
});

Deno.test("contactSheet() gives the same bytes twice, and refuses ragged rows", async () => {
  const font = await fontFile();
  const sheet = {
    headings: ["one"],
    rows: [{ label: 'α < β & "γ"', pictures: [await picture("#123")] }],
    cell: 32,
    fontFile: font,
  };
  assert.deepEqual(await contactSheet(sheet), await contactSheet(sheet));
  await assert.rejects(contactSheet({ ...sheet, headings: [] }), /1 pictures for 0 columns/);
});

Deno.test("spread() takes the first, the last and what lies evenly between", () => {
  assert.deepEqual(spread(22, 4), [0, 7, 14, 21]);
  assert.deepEqual(spread(3, 12), [0, 1, 2]);
  assert.deepEqual(spread(9, 1), [0]);
  assert.equal(new Set(spread(13, 12)).size, 12);
});

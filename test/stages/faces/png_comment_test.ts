import assert from "node:assert/strict";
import { withPngComment } from "../../../stages/faces/png_comment.ts";

Deno.test("a comment lies in the PNG file, whose picture stays the same", async () => {
  const { default: sharp } = await import("sharp");
  const data = Uint8Array.from({ length: 60 }, (_, i) => 4 * i);
  const png = await sharp(data, { raw: { width: 5, height: 4, channels: 3 } }).png().toBuffer();
  const commented = withPngComment(png, "a word, and another");
  const header = await sharp(commented).metadata();
  assert.deepEqual(header.comments, [{ keyword: "Comment", text: "a word, and another" }]);
  const { data: back } = await sharp(commented, { failOn: "warning" }).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([...back], [...data]);
});

Deno.test("what is no PNG file, and a comment that is not ASCII, are refused", () => {
  assert.throws(() => withPngComment(Uint8Array.of(1, 2, 3), "a"), /not a PNG file/);
  const png = new Uint8Array(100).fill(0x89, 0, 1).fill(0x50, 1, 2);
  assert.throws(() => withPngComment(png, "größer"), /ASCII/);
});

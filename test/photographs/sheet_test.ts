import assert from "node:assert/strict";
import { withScratch } from "../stages/scratch.ts";
import { sheetOf, type Tile } from "./sheet.ts";

Deno.test("a published sheet shows what may be shown, and tells right, wrong and refused apart", () =>
  withScratch(async ({ folder, write }) => {
    const { default: sharp } = await import("sharp");
    const plain = sharp({ create: { width: 80, height: 80, channels: 3, background: "#ffffff" } });
    await write("picture.png", await plain.png().toBuffer());
    const points = Array.from({ length: 468 }, () => [40, 40, 0]);
    const result = (right: boolean, free: boolean): Tile["result"] => {
      return { width: 80, height: 80, faces: [{ points }], truth: [], right, free, picture: `${folder}/picture.png` };
    };
    const tiles = [result(true, true), result(true, false), result(false, false), null].map((result) => {
      return { kind: "plain", result };
    });
    const coloursOf = async (show: "all" | "free") => {
      const { data, info } = await sharp(await sheetOf(tiles, { show })).raw().toBuffer({ resolveWithObject: true });
      const at = (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
      return tiles.map((_, i) => {
        const [inside, frame] = [at(150 + 64 * i + 10, 10), at(150 + 64 * i + 30, 0)] as [number[], number[]];
        const [r, g] = frame as [number, number, number];
        return `${inside[1]! > 240 ? "photograph" : "grey"} ${g > r + 40 ? "right" : r > g + 40 ? "wrong" : "refused"}`;
      });
    };
    const words = ["photograph right", "grey right", "grey wrong", "grey refused"];
    assert.deepEqual(await coloursOf("free"), words);
    assert.deepEqual(await coloursOf("all"), ["photograph right", "photograph right", "photograph wrong", words[3]]);
  }));

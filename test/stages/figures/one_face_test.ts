import assert from "node:assert/strict";
import sharp from "sharp";
import { cast, sourceFolder } from "@ftim/pipeline";
import { encodePng } from "../../../stages/faces/photograph.ts";
import { oneFace } from "../../../stages/figures/one_face.ts";
import { asset } from "../../assets.ts";
import { fontFile } from "../../font.ts";
import { faceFiles, makeFace, SIZE } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";

Deno.test("the head is shown from both sides: turned left, its right half comes to the front", async () => {
  await withScratch(async ({ folder, write, run }) => {
    const key = "photo/0";
    const face = makeFace({ yaw: 0, side: 0 });
    for (const [path, bytes] of Object.entries(await faceFiles(key, face))) await write(path, bytes);
    // The texture's left half is red, its right half blue.
    const data = Float32Array.from({ length: 3 * SIZE * SIZE }, (_, i) => {
      const left = Math.floor(i / 3) % SIZE < SIZE / 2;
      return i % 3 === (left ? 0 : 2) ? 0.8 : 0;
    });
    const texture = await encodePng({ width: SIZE, height: SIZE, data });
    await write(`unwrapped/${key}.texture.png`, texture);
    await write(`ours/${key}.texture.png`, texture);
    await write("topology/facemeshcoords.ts", await asset("models/facemeshcoords.ts"));
    await write("font/DejaVuSans.ttf", await Deno.readFile(await fontFile()));
    const of = <K extends string>(name: string, kind: K) => cast(sourceFolder(`${folder}/${name}`), kind);
    const inputs = {
      crops: of("aligned", "aligned"),
      unwrapped: of("unwrapped", "unwrapped"),
      meshes: of("meshes", "meshes"),
      reconstructions: of("ours", "reconstructions"),
      topology: of("topology", "assets"),
      font: of("font", "assets"),
    };
    const { trees } = await run({ figure: oneFace(inputs, { face: key }) });
    const { data: pixels, info } = await sharp(await trees.figure.bytes("one_face.png")).removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [5 * 230, 24 + 230]);
    const share = (column: number) => {
      let [red, blue] = [0, 0];
      for (let y = 24; y < 24 + 224; y++) {
        for (let x = 230 * column; x < 230 * column + 224; x++) {
          const at = 3 * (y * info.width + x);
          if (pixels[at]! > 150 && pixels[at + 2]! < 50) red++;
          if (pixels[at + 2]! > 150 && pixels[at]! < 50) blue++;
        }
      }
      return red / (red + blue);
    };
    // The texture's left is the image's left: a head whose nose turns to the left shows more of its right half.
    assert.ok(share(3) < 0.4 && share(4) > 0.6, `${share(3)}, ${share(4)}`);
    await assert.rejects(run({ figure: oneFace(inputs, { face: "photo/7" }) }), /photo\/7/);
  });
});

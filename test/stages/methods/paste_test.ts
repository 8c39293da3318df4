import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { applyOperatorCpu, pictureOperator } from "../../../face/render_cpu.ts";
import { encodePng, readImage } from "../../../stages/faces/photograph.ts";
import { encodeRegression } from "../../../stages/faces/regression.ts";
import { pasteFaces } from "../../../stages/methods/paste.ts";
import { asset } from "../../assets.ts";
import { noise } from "../../nets/inputs.ts";
import { CROP, faceFiles, light, makeFace, posed, SIZE, smoothAlbedo, topology } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";

const none = Float32Array.of(0);

Deno.test("faces are pasted one over the other, at the photograph's own size, as far as they are inside", () =>
  withScratch(async ({ folder, write, run }) => {
    const photographs = {
      two: noise({ width: 331, height: 260, seed: 1 }),
      one: noise({ width: 90, height: 97, seed: 2 }),
    };
    // crop = scale · photograph + shift
    const faces = [
      { key: "two/0", yaw: 0, scale: 1.25, x: -10, y: 8 },
      { key: "two/1", yaw: 30, scale: 0.8, x: -90, y: 3 },
      { key: "one/0", yaw: -20, scale: 2.5, x: -20.5, y: -30 },
    ].map((face, seed) => ({ ...face, texture: smoothAlbedo(seed), vertices: posed(face.yaw) }));
    for (const [name, image] of Object.entries(photographs)) await write(`images/${name}.png`, await encodePng(image));
    for (const { key, scale, x, y, texture, vertices } of faces) {
      const { [`aligned/${key}.json`]: text } = await faceFiles(key, { ...makeFace(), vertices });
      const transform = { scale, x, y, size: CROP, photograph: { width: 1, height: 1 } };
      await write(`aligned/${key}.json`, JSON.stringify({ ...JSON.parse(text as string), transform }));
      await write(`ours/${key}.texture.png`, await encodePng({ width: SIZE, height: SIZE, data: texture }));
      const angles = { yaw: 0, pitch: 0, roll: 0 };
      const regression = { vertices, angles, identity: none, expression: none, light: light(0), albedo: none };
      await write(`regressed/${key}.safetensors`, encodeRegression(regression));
    }
    await write("topology/facemeshcoords.ts", await asset("models/facemeshcoords.ts"));
    const of = <K extends string>(name: string, kind: K) => cast(sourceFolder(`${folder}/${name}`), kind);
    const { trees: { pasted } } = await run({
      pasted: pasteFaces({
        images: of("images", "images"),
        crops: of("aligned", "aligned"),
        regressed: of("regressed", "regressed"),
        reconstructions: of("ours", "reconstructions"),
        topology: of("topology", "assets"),
      }),
    });
    assert.deepEqual(pasted.paths, ["one.png", "two.png"]);
    for (const [name, { width, height, data }] of Object.entries(photographs)) {
      const expected = data.slice();
      for (const { key, scale, x, y, texture, vertices } of faces) {
        if (!key.startsWith(name)) continue;
        const moved = vertices.map((value, i) => (value - [x, y, 0][i % 3]!) / scale);
        const operator = pictureOperator(moved, { topology, size: SIZE, width, height, outline: "soft" });
        const render = applyOperatorCpu(operator, texture);
        for (let i = 0; i < expected.length; i++) {
          expected[i] = render[i]! + (1 - operator.coverage[Math.floor(i / 3)]!) * expected[i]!;
        }
      }
      const found = (await readImage(pasted, `${name}.png`)).data;
      const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
      assert.ok(worst < 2.1 / 255, `${name}: ${255 * worst} levels`);
      assert.ok(found.some((value, i) => Math.abs(value - data[i]!) > 0.1));
    }
  }));

import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { pasteWeightsCpu } from "../../../face/paste_weights_cpu.ts";
import { applyOperatorCpu, pictureOperator } from "../../../face/render_cpu.ts";
import { encodeGreyPng, encodePng, readImage } from "../../../stages/faces/photograph.ts";
import { encodeRegression } from "../../../stages/faces/regression.ts";
import { pasteFaces } from "../../../stages/methods/paste.ts";
import { asset } from "../../assets.ts";
import { noise } from "../../nets/inputs.ts";
import { CROP, faceFiles, light, makeFace, posed, SIZE, smoothAlbedo, topology } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";

const none = Float32Array.of(0);

/** The right part of the map was not seen, the rest more and more. */
function seenTo(seed: number): Float32Array {
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.max(0, 1 - (1.2 + 0.3 * seed) * (i % SIZE) / SIZE));
}

Deno.test("what was completed is pasted, one face over the other, at the photograph's size; the rest stays", () =>
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
    ].map((face, seed) => ({
      ...face,
      texture: smoothAlbedo(seed),
      vertices: posed(face.yaw),
      visibility: seenTo(seed),
    }));
    for (const [name, image] of Object.entries(photographs)) await write(`images/${name}.png`, await encodePng(image));
    for (const { key, scale, x, y, texture, vertices, visibility } of faces) {
      const map = { width: SIZE, height: SIZE };
      await write(`seen/${key}.visibility.png`, await encodeGreyPng({ ...map, data: visibility }));
      await write(`seen/${key}.texture.png`, await encodePng({ ...map, data: texture }));
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
        unwrapped: of("seen", "unwrapped"),
        regressed: of("regressed", "regressed"),
        reconstructions: of("ours", "reconstructions"),
        topology: of("topology", "assets"),
      }),
    });
    assert.deepEqual(pasted.paths, ["one.png", "two.png"]);
    for (const [name, { width, height, data }] of Object.entries(photographs)) {
      const expected = data.slice();
      for (const { key, scale, x, y, texture, vertices, visibility } of faces) {
        if (!key.startsWith(name)) continue;
        const moved = vertices.map((value, i) => (value - [x, y, 0][i % 3]!) / scale);
        const operator = pictureOperator(moved, { topology, size: SIZE, width, height, outline: "soft" });
        const bytes = visibility.map((value) => Math.round(255 * value) / 255);
        const weights = pasteWeightsCpu(bytes, { vertices: moved, topology });
        const weight = texture.map((_, i) => weights[Math.floor(i / 3)]!);
        const render = applyOperatorCpu(operator, texture.map((value, i) => value * weight[i]!));
        const share = applyOperatorCpu(operator, weight);
        for (let i = 0; i < expected.length; i++) expected[i] = render[i]! + (1 - share[i]!) * expected[i]!;
      }
      const found = (await readImage(pasted, `${name}.png`)).data;
      const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
      assert.ok(worst < 2.1 / 255, `${name}: ${255 * worst} levels`);
      assert.ok(found.some((value, i) => Math.abs(value - data[i]!) > 0.1));
    }
  }));

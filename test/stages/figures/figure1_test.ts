import assert from "node:assert/strict";
import sharp from "sharp";
import { cast, sourceFolder } from "@ftim/pipeline";
import { PAPER_WEIGHTS } from "../../../nets/losses.ts";
import { encodePng } from "../../../stages/faces/photograph.ts";
import { encodeRegression } from "../../../stages/faces/regression.ts";
import { figure1 } from "../../../stages/figures/figure1.ts";
import { asset } from "../../assets.ts";
import { fontFile } from "../../font.ts";
import { CROP, faceFiles, light, makeFace, modelFile, SIZE, topology } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";
import { assertTextsFit } from "./measured_texts.ts";

/** A map of one colour, as PNG. */
const plain = (...colour: [number, number, number]) =>
  encodePng({
    width: SIZE,
    height: SIZE,
    data: Float32Array.from({ length: 3 * SIZE ** 2 }, (_, i) => colour[i % 3]!),
  });

Deno.test("Figure 1 shows a face's own maps, their sizes and the losses that have a weight", async () => {
  await withScratch(async ({ folder, write, run }) => {
    const key = "photo/0";
    const face = makeFace();
    for (const [path, bytes] of Object.entries(await faceFiles(key, face))) await write(path, bytes);
    const [red, green, blue] = [await plain(1, 0, 0), await plain(0, 1, 0), await plain(0, 0, 1)];
    await write(`unwrapped/${key}.texture.png`, red);
    await write(`printed/${key}.texture.png`, green);
    await write(`printed/${key}.albedo.png`, blue);
    await write(`printed/${key}.render.png`, await encodePng(face.picture));
    await write(
      `regressed/${key}.safetensors`,
      encodeRegression({
        vertices: face.vertices,
        identity: new Float32Array(3),
        expression: new Float32Array(2),
        angles: { yaw: 0, pitch: 0, roll: 0 },
        light: light(0.5),
        albedo: Float32Array.of(0.8, -0.5, 0.4, 0, 0),
      }),
    );
    await write("model/model.safetensors", modelFile());
    await write("topology/facemeshcoords.ts", await asset("models/facemeshcoords.ts"));
    await write("font/DejaVuSans.ttf", await Deno.readFile(await fontFile()));
    const of = <K extends string>(name: string, kind: K) => cast(sourceFolder(`${folder}/${name}`), kind);
    const inputs = {
      crops: of("aligned", "aligned"),
      unwrapped: of("unwrapped", "unwrapped"),
      regressed: of("regressed", "regressed"),
      reconstructions: of("printed", "reconstructions"),
      model: of("model", "model"),
      topology: of("topology", "assets"),
      font: of("font", "assets"),
    };
    const draw = (weights: object) => figure1(inputs, { face: key, weights: { ...PAPER_WEIGHTS, ...weights } });
    const { trees } = await run({ figure: draw({}), fewer: draw({ mrf: 0, identity: 0.37 }) });
    const texts = (await assertTextsFit(await trees.figure.text("figure1.svg"))).map(({ text }) => text);
    for (
      const text of [
        `${CROP}²`,
        `${SIZE}²`,
        `${topology.vertexCount} vertices`,
        "identity 3",
        "expression 2",
        "pose 3",
        "albedo 5",
        "light 9 × 3",
        "ID-MRF",
        `${PAPER_WEIGHTS.mrf}`,
      ]
    ) assert.ok(texts.includes(text), text);
    const fewer = (await assertTextsFit(await trees.fewer.text("figure1.svg"))).map(({ text }) => text);
    assert.ok(!fewer.includes("ID-MRF") && fewer.includes("0.37"));

    const { data, info } = await sharp(await trees.figure.bytes("figure1.png")).removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    const share = (channel: number) => {
      let count = 0;
      for (let i = 0; i < data.length; i += 3) {
        if ([0, 1, 2].every((c) => c === channel ? data[i + c]! > 250 : data[i + c]! < 5)) count++;
      }
      return count / (info.width * info.height);
    };
    for (const channel of [0, 1, 2]) assert.ok(share(channel) > 0.02, `a map does not show: ${share(channel)}`);
    await assert.rejects(run({ figure: figure1(inputs, { face: "photo/7", weights: PAPER_WEIGHTS }) }), /photo\/7/);
  });
});

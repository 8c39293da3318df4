import assert from "node:assert/strict";
import type * as tfjs from "@tensorflow/tfjs";
import sharp from "sharp";
import { openTfjs } from "@ftim/gpu/tfjs";
import { cast, sourceFolder } from "@ftim/pipeline";
import { ftim, ftimParameters } from "../../../nets/ftim.ts";
import { ftimPrinted, ftimPrintedParameters } from "../../../nets/ftim_printed.ts";
import { drawParameters, toVariables } from "../../../nets/parameters.ts";
import type { UnetShape } from "../../../nets/unet.ts";
import { figure2 } from "../../../stages/figures/figure2.ts";
import { FORMS, moduleFigure } from "../../../stages/figures/parts/module_figure.ts";
import { unetLayers } from "../../../stages/figures/parts/unet_layers.ts";
import { encodeNetwork } from "../../../stages/training/parts/network_file.ts";
import { fontFile } from "../../font.ts";
import { modelFile, SIZE } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";
import { assertTextsFit } from "./measured_texts.ts";

const SHAPE: UnetShape = { widths: [4, 6, 8], fullWidth: 5, codeLength: 13 };

function weights(network: "printed" | "first-guess", shape: UnetShape): Uint8Array {
  const specs = network === "printed" ? ftimPrintedParameters(shape) : ftimParameters(shape);
  return encodeNetwork(drawParameters(specs, 1), { network, ...shape });
}

Deno.test("Figure 2 shows the layers of the networks that were trained, and refuses other networks", async () => {
  await withScratch(async ({ folder, write, run }) => {
    await write("model/model.safetensors", modelFile());
    await write("font/DejaVuSans.ttf", await Deno.readFile(await fontFile()));
    await write("printed/network.safetensors", weights("printed", SHAPE));
    await write("ours/network.safetensors", weights("first-guess", SHAPE));
    await write("wide/network.safetensors", weights("first-guess", { ...SHAPE, widths: [4, 26, 8] }));
    const of = <K extends string>(name: string, kind: K) => cast(sourceFolder(`${folder}/${name}`), kind);
    const drawn = (printed: string, ours: string) =>
      figure2({
        printed: of(printed, "weights"),
        ours: of(ours, "weights"),
        model: of("model", "model"),
        font: of("font", "assets"),
      });
    const { trees } = await run({ figure: drawn("printed", "ours"), wide: drawn("printed", "wide") });
    const [svg, wide] = [await trees.figure.text("figure2.svg"), await trees.wide.text("figure2.svg")];
    const texts = (await assertTextsFit(svg)).map(({ text }) => text);
    const count = (text: string) => texts.filter((one) => one === text).length;
    assert.deepEqual([count(`${SIZE}² × 6`), count(`${SIZE}² × 12`), count(`${SIZE}² × 5`)], [1, 1, 2]);
    assert.deepEqual([count(`${SIZE / 4}² × 6`), count("expression 10"), count("pose 3")], [4, 2, 2]);
    const wideTexts = (await assertTextsFit(wide)).map(({ text }) => text);
    assert.equal(wideTexts.filter((text) => text === `${SIZE / 4}² × 26`).length, 2, "another width is another text");
    const { width, height } = await sharp(await trees.figure.bytes("figure2.png")).metadata();
    assert.ok(width > 1000 && height > 1000);
    await assert.rejects(run({ figure: drawn("ours", "printed") }), /not of FTIM as printed/);
  });
});

Deno.test("the text of Figure 2 fits for the sizes of both experiments and for odd ones", async () => {
  for (
    const [side, shape] of [
      [256, { widths: [16, 32, 64, 96, 96], fullWidth: 8, codeLength: 23 }],
      [256, { widths: [16, 32, 64, 96, 96], fullWidth: 16, codeLength: 23 }],
      [2048, { widths: [8, 128, 256, 512, 1024, 2048, 2048], fullWidth: 512, codeLength: 103 }],
      [16, { widths: [1, 1], fullWidth: 1, codeLength: 4 }],
    ] as const
  ) {
    const svg = await moduleFigure({
      printed: unetLayers(ftimPrintedParameters(shape), { side }),
      ours: unetLayers(ftimParameters(shape), { side }),
    }, { fontFile: await fontFile() });
    await assertTextsFit(svg);
  }
});

Deno.test("what Figure 2 says of the maps and of the result is what the networks compute", async () => {
  const tf = await openTfjs();
  const of = (value: number, channels: number) => tf.fill([1, 16, 16, channels], value) as tfjs.Tensor4D;
  const input = {
    incomplete: of(0.1, 3),
    visibility: of(0.25, 1),
    guess: of(0.5, 3),
    templateAlbedo: of(0.3, 3),
    templateTexture: of(0.4, 3),
    code: tf.zeros([1, SHAPE.codeLength]) as tfjs.Tensor2D,
  };
  // The last convolution starts at zero: with a bias of 1 the network's result is 1 everywhere.
  const one = (specs: ReturnType<typeof ftimParameters>) => {
    const values = drawParameters(specs, 1);
    values["output.bias"]!.data.fill(1);
    return toVariables(tf, values);
  };
  const printed = ftimPrinted(tf, one(ftimPrintedParameters(SHAPE)), { ...input, ...SHAPE });
  const ours = ftim(tf, one(ftimParameters(SHAPE)), { ...input, ...SHAPE });
  const [[first], [second]] = await Promise.all([printed.data<"float32">(), ours.data<"float32">()]);
  const factor = (value: number) => Number(value.toPrecision(3));
  assert.equal(FORMS.printed.result, `× ${factor(first! - 0.4)}`);
  assert.equal(FORMS.printed.base, "template texture");
  assert.equal(FORMS.ours.result, `× ${factor((second! - 0.5) / 0.75)} × (1 − visibility)`);
  assert.equal(FORMS.ours.base, "first guess");

  const layers = unetLayers(ftimParameters(SHAPE), { side: 16 });
  const networks = { printed: layers, ours: layers };
  await assert.rejects(moduleFigure(networks, { fontFile: await fontFile() }), /as printed reads 12 channels.* with 6/);
});

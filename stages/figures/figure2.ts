/**
 * Figure 2 of the paper: the Facial Texture Inpainting Module. It is drawn twice, as the paper prints it and with a
 * first guess, each from the parameters of the network that was trained. The paper prints neither depth nor widths, so
 * those are ours.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { fontFileOf } from "./parts/font_file.ts";

/** Pixels of the PNG for each of the SVG. */
const ZOOM = 2;

/** Weights of both FTIMs, and the face model for the side of its maps → `figure2.{svg,png}`. */
export const figure2 = defineStage({
  name: "figure2",
  module: import.meta.url,
  inputs: { printed: "weights", ours: "weights", model: "model", font: "assets" },
  output: "figure",
  params: z.strictObject({}),
  determinism: "bitwise",
  computes: { cpu: "a drawing: file formats" },
  run: async ({ inputs, out }) => {
    const { drawSvg } = await import("./parts/draw_svg.ts");
    const { moduleFigure } = await import("./parts/module_figure.ts");
    const { unetLayers } = await import("./parts/unet_layers.ts");
    const { readMorphable } = await import("../faces/geometry.ts");
    const { decodeNetwork } = await import("../training/parts/network_file.ts");
    const { ftimStoredShape } = await import("../training/train.ts");
    const { printedStoredShape } = await import("../training/train_printed.ts");
    const side = Math.sqrt((await readMorphable(inputs.model)).albedoMean.length / 3);
    const [printed, ours] = await Promise.all(
      [inputs.printed, inputs.ours].map(async (tree) => decodeNetwork(await tree.bytes("network.safetensors"))),
    );
    // Refuses the weights of another network.
    printedStoredShape.parse(printed!.shape);
    ftimStoredShape.parse(ours!.shape);
    const fontFile = fontFileOf(inputs.font);
    const svg = await moduleFigure(
      { printed: unetLayers(printed!.tensors, { side }), ours: unetLayers(ours!.tensors, { side }) },
      { fontFile },
    );
    out.write("figure2.svg", svg);
    out.write("figure2.png", await drawSvg(svg, { fontFile, zoom: ZOOM }));
  },
});

/**
 * Figure 1 of the paper: the framework, from a photograph through the regressor, the unwrapping and FTIM to the render
 * and the losses. It is drawn with the maps of one face and with the sizes that they have. FTIM is that of the paper,
 * as printed; `figure2.ts` draws the module itself.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { faceInputs } from "../faces/face_inputs.ts";
import { lossWeights } from "../training/parts/train_params.ts";
import { fontFileOf } from "./parts/font_file.ts";

/** Pixels of the PNG for each of the SVG. */
const ZOOM = 2;

/** What is known of a face, and its reconstruction by FTIM as printed → `figure1.{svg,png}`. */
export const figure1 = defineStage({
  name: "figure1",
  module: import.meta.url,
  inputs: {
    crops: faceInputs.crops,
    unwrapped: faceInputs.unwrapped,
    regressed: faceInputs.regressed,
    reconstructions: "reconstructions",
    model: faceInputs.model,
    topology: faceInputs.topology,
    font: "assets",
  },
  output: "figure",
  params: z.strictObject({
    /** Key of the face; a face that is not there is an error. */
    face: z.string(),
    /** Weights of the losses that FTIM as printed was trained with. */
    weights: lossWeights,
  }),
  determinism: "bitwise",
  computes: { webgpu: "templates", cpu: "a drawing: file formats" },
  resources: { gpu: true },
  run: async ({ inputs, params: { face, weights }, out }) => {
    const { drawSvg } = await import("./parts/draw_svg.ts");
    const { frameworkFigure } = await import("./parts/framework_figure.ts");
    const { templatePictures } = await import("./parts/template_pictures.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { readTopology } = await import("../faces/geometry.ts");
    const regression = await readRegression(inputs.regressed, face);
    const templates = await templatePictures(regression, inputs);
    const fontFile = fontFileOf(inputs.font);
    const svg = await frameworkFigure({
      photograph: await inputs.crops.bytes(`${face}.png`),
      incomplete: await inputs.unwrapped.bytes(`${face}.texture.png`),
      ...templates,
      texture: await inputs.reconstructions.bytes(`${face}.texture.png`),
      albedo: await inputs.reconstructions.bytes(`${face}.albedo.png`),
      render: await inputs.reconstructions.bytes(`${face}.render.png`),
      regression,
      triangles: (await readTopology(inputs.topology)).triangles,
      weights,
    }, { fontFile });
    out.write("figure1.svg", svg);
    out.write("figure1.png", await drawSvg(svg, { fontFile, zoom: ZOOM }));
  },
});

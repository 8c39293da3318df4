/**
 * The face without any network, for the ablation; nothing is trained. `copy`: what the view showed, and the template
 * where it showed nothing. `guess`: FTIM's first guess, which also mirrors what was seen (`first_guess.ts`).
 *
 * The paper's column is another thing, "trained without FTIM but with all losses": see `reconstruct_map.ts`.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { faceInputs, faceItems } from "../faces/face_inputs.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const withoutFtim = defineStage({
  name: "without_ftim",
  module: import.meta.url,
  inputs: faceInputs,
  output: "reconstructions",
  each: faceItems,
  params: z.strictObject({ fill: z.enum(["copy", "guess"]) }),
  batch: 16,
  determinism: "bitwise",
  computes: { webgpu: "albedo, shading, filling, rendering" },
  resources: { gpu: true },
  open: async ({ inputs }) => await (await import("../faces/face_model.ts")).openFaceModel(inputs),
  close: async (model) => (await import("../faces/face_model.ts")).closeFaceModel(model),
  run: async ({ items, params: { fill }, resource: model }) => {
    const { removeLighting } = await import("../../nets/subtracted_light.ts");
    const { writeReconstructions } = await import("../faces/reconstruction.ts");
    const { readFaceInput } = await import("./parts/face_input.ts");
    const { tf, topology } = model;
    const { faces, input } = await readFaceInput(items, model);
    const maps = tf.tidy(() => {
      const { incomplete, visibility, guess, templateTexture } = input;
      const texture = fill === "guess"
        ? guess.clone()
        : tf.add<Tensor4D>(incomplete, tf.mul(tf.sub(1, visibility), templateTexture));
      return { texture, albedo: removeLighting(tf, { ...input, texture }) };
    });
    tf.dispose(Object.values(input));
    await writeReconstructions(faces, { tf, ...maps, topology, stage: "without_ftim" });
  },
});

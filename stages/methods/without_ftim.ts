/**
 * The face without FTIM, for the ablation; nothing is trained. `copy`: what the view showed, and the template where it
 * showed nothing. `guess`: FTIM's first guess, which also mirrors what was seen (`first_guess.ts`).
 *
 * The paper's column is another thing: a network that is trained without FTIM but with all losses.
 */
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
  determinism: "bitwise",
  computes: { cpu: "filling, rendering; not on WebGPU yet" },
  open: async ({ inputs }) => (await import("../faces/training_set.ts")).readFaceModel(inputs),
  run: async ({ items, params: { fill }, resource: faces }) => {
    const { loadFace } = await import("../faces/training_set.ts");
    const { writeReconstruction } = await import("../faces/reconstruction.ts");
    for (const { key, inputs, out } of items) {
      const face = await loadFace(key, inputs, faces);
      const { texture: seen, visibility, shading, albedo: template, guess } = face.maps();
      const lit = template.map((value, i) => value * shading[i]!);
      const texture = fill === "guess" ? guess : seen.map((value, i) => {
        const weight = visibility[Math.floor(i / 3)]!;
        return weight * value + (1 - weight) * lit[i]!;
      });
      const albedo = texture.map((value, i) => value - lit[i]! + template[i]!);
      await writeReconstruction({ texture, albedo }, { key, out, crops: inputs.crops, ...face.regression, ...faces });
    }
  },
});

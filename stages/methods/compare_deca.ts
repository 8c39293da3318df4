/**
 * The comparator DECA (Feng et al. 2021), re-made: a linear albedo, fitted with a Gaussian prior (maximum a
 * posteriori), times spherical-harmonic shading. That is the regressor's own template, so nothing is fitted here.
 * Conventions: yfeng95/DECA `decalib/utils/renderer.py` (light), `decalib/models/FLAME.py` (FLAMETex).
 */
import { defineStage } from "@ftim/pipeline";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareDeca = defineStage({
  name: "compare_deca",
  module: import.meta.url,
  inputs: { crops: "aligned", regressed: "regressed", model: "model", topology: "assets" },
  output: "reconstructions",
  each: ["crops", "regressed"],
  determinism: "bitwise",
  computes: { cpu: "shading, rendering; not on WebGPU yet" },
  open: async ({ inputs }) => (await import("../faces/training_set.ts")).readFaceModel(inputs),
  run: async ({ items, resource: { topology, morphable, size } }) => {
    const { albedoOf } = await import("../../face/morphable.ts");
    const { shadingMap } = await import("../../face/shading.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { writeReconstruction } = await import("../faces/reconstruction.ts");
    for (const { key, inputs, out } of items) {
      const { vertices, light, albedo: code } = await readRegression(inputs.regressed, key);
      const albedo = albedoOf(morphable, code);
      const shading = shadingMap(vertices, { light, topology, size });
      const texture = albedo.map((value, i) => value * shading[i]!);
      await writeReconstruction({ texture, albedo }, { key, crops: inputs.crops, out, vertices, topology });
    }
  },
});

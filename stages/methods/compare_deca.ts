/**
 * The comparator DECA (Feng et al. 2021), re-made: a linear albedo, fitted with a Gaussian prior (maximum a
 * posteriori), times spherical-harmonic shading. That is the regressor's own template, so nothing is fitted here.
 * Conventions: yfeng95/DECA `decalib/utils/renderer.py` (light), `decalib/models/FLAME.py` (FLAMETex).
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { defineStage } from "@ftim/pipeline";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareDeca = defineStage({
  name: "compare_deca",
  module: import.meta.url,
  inputs: { crops: "aligned", regressed: "regressed", model: "model", topology: "assets" },
  output: "reconstructions",
  each: ["crops", "regressed"],
  batch: 64,
  determinism: "bitwise",
  computes: { webgpu: "albedo, shading, rendering" },
  resources: { gpu: true },
  open: async ({ inputs }) => await (await import("../faces/templates.ts")).openFaceModel(inputs),
  close: async (model) => (await import("../faces/templates.ts")).closeFaceModel(model),
  run: async ({ items, resource: model }) => {
    const { readFace, templatesOf } = await import("../faces/templates.ts");
    const { reconstructFaces } = await import("../faces/reconstruction.ts");
    const { tf, topology } = model;
    await reconstructFaces(items, {
      tf,
      topology,
      stage: "compare_deca",
      count: 16,
      read: readFace,
      reconstruct: (faces) => {
        const { albedo, shading } = templatesOf(faces, model);
        const texture = tf.mul<Tensor4D>(albedo, shading);
        shading.dispose();
        return Promise.resolve({ faces, texture, albedo });
      },
    });
  },
});

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
  batch: 16,
  determinism: "bitwise",
  computes: { webgpu: "albedo, shading, rendering" },
  resources: { gpu: true },
  open: async ({ inputs }) => await (await import("../faces/face_model.ts")).openFaceModel(inputs),
  close: async (model) => (await import("../faces/face_model.ts")).closeFaceModel(model),
  run: async ({ items, resource: model }) => {
    const { templateMaps } = await import("../../face/template_maps.ts");
    const { readFaces } = await import("../faces/face_model.ts");
    const { writeReconstructions } = await import("../faces/reconstruction.ts");
    const { tf, topology } = model;
    const faces = await readFaces(items);
    const { albedo, shading } = templateMaps(tf, faces, model);
    const texture = tf.mul<Tensor4D>(albedo, shading);
    shading.dispose();
    await writeReconstructions(faces, { tf, texture, albedo, topology, stage: "compare_deca" });
  },
});

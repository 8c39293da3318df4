/**
 * The comparator Chen et al. 2020, re-made: the linear albedo and light of the regressor, and a detail layer in UV
 * space that displaces the surface along its normals, so that the shading follows wrinkles
 * (cyj907/unsupervised-detail-layer). Theirs is a U-Net that predicts the displacement; here it is fitted to the
 * photograph itself.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareChen = defineStage({
  name: "compare_chen",
  module: import.meta.url,
  inputs: { crops: "aligned", unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "reconstructions",
  each: ["crops", "unwrapped", "regressed"],
  params: z.strictObject({
    /** Weight of the displacement's smoothness (squared Laplacian). */
    smoothness: z.number().positive().default(0.002),
    /** Weight that keeps the displacement small. */
    damping: z.number().positive().default(1e-5),
    iterations: z.int().positive().default(80),
  }),
  determinism: "bitwise",
  computes: { cpu: "displacement by conjugate gradients, rendering; not on WebGPU yet" },
  open: async ({ inputs }) => (await import("../faces/training_set.ts")).readFaceModel(inputs),
  run: async ({ items, params, resource: { topology, morphable, size } }) => {
    const { albedoOf } = await import("../../face/morphable.ts");
    const { fitDetail } = await import("../../face/detail_layer.ts");
    const { shade } = await import("../../face/light.ts");
    const { readSeen } = await import("../faces/geometry.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { writeReconstruction } = await import("../faces/reconstruction.ts");
    for (const { key, inputs, out } of items) {
      const { vertices, light, albedo: code } = await readRegression(inputs.regressed, key);
      const seen = await readSeen(inputs.unwrapped, key);
      const albedo = albedoOf(morphable, code);
      const { normals } = fitDetail({ vertices, topology, size, light, albedo, ...seen }, params);
      const shading = shade(normals, light);
      const texture = albedo.map((value, i) => value * shading[i]!);
      await writeReconstruction({ texture, albedo }, { key, crops: inputs.crops, out, vertices, topology });
    }
  },
});

/**
 * The comparator Chen et al. 2020, re-made: the linear albedo and light of the regressor, and a detail layer in UV
 * space that displaces the surface along its normals, so that the shading follows wrinkles
 * (cyj907/unsupervised-detail-layer). Theirs is a U-Net that predicts the displacement; here it is fitted to the
 * photograph itself.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareChen = defineStage({
  name: "compare_chen",
  module: import.meta.url,
  inputs: { crops: "aligned", unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "reconstructions",
  each: ["crops", "unwrapped", "regressed"],
  batch: 16,
  params: z.strictObject({
    /** Weight of the displacement's smoothness (squared Laplacian). */
    smoothness: z.number().positive().default(0.002),
    /** Weight that keeps the displacement small. */
    damping: z.number().positive().default(1e-5),
    iterations: z.int().positive().default(80),
  }),
  determinism: "bitwise",
  computes: { webgpu: "displacement by conjugate gradients, albedo, shading, rendering" },
  resources: { gpu: true },
  open: async ({ inputs }) => await (await import("../faces/face_model.ts")).openFaceModel(inputs),
  close: async (model) => (await import("../faces/face_model.ts")).closeFaceModel(model),
  run: async ({ items, params, resource: { tf, parts, topology, size } }) => {
    const { albedoMaps } = await import("../../face/albedo_maps.ts");
    const { fitDetails } = await import("../../face/fit_details.ts");
    const { uploadMeshes } = await import("../../face/normal_maps.ts");
    const { shadeMaps } = await import("../../face/shade_maps.ts");
    const { joined } = await import("../../face/joined.ts");
    const { readSeen } = await import("../faces/geometry.ts");
    const { writeReconstructions } = await import("../faces/reconstruction.ts");
    const { readFaces } = await import("../faces/face_model.ts");
    const [faces, seen] = await Promise.all([
      readFaces(items),
      Promise.all(items.map(({ key, inputs }) => readSeen(inputs.unwrapped, key))),
    ]);
    const maps = tf.tidy(() => {
      const light = tf.stack(faces.map(({ light }) => tf.tensor1d(light)));
      const albedo = albedoMaps(tf, parts, { codes: faces.map((face) => face.albedo) });
      const { normals } = fitDetails(tf, {
        vertices: uploadMeshes(tf, faces.map(({ vertices }) => vertices), topology),
        light,
        albedo,
        texture: tf.tensor4d(joined(seen.map(({ texture }) => texture)), [seen.length, size, size, 3]),
        visibility: tf.tensor4d(joined(seen.map(({ visibility }) => visibility)), [seen.length, size, size, 1]),
      }, { topology, size, ...params });
      return { texture: tf.mul<Tensor4D>(albedo, shadeMaps(tf, normals, light)), albedo };
    });
    await writeReconstructions(faces, { tf, ...maps, topology, stage: "compare_chen" });
  },
});

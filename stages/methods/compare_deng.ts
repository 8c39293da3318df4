/**
 * The comparator Deng et al. 2019, re-made: a linear albedo and light, fitted to the photograph itself with a weak
 * prior, on skin only, by pixels and through a recognition network. Their skin mask keeps hair, glasses and hands out
 * of the photometric loss (sicxu/Deep3DFaceRecon_pytorch, `models/losses.py`). Here a robust (Huber) weight does: what
 * the linear model cannot explain as skin counts less. The weights of the terms are theirs.
 *
 * The perceptual network is the 128-d one, which trains and never scores.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareDeng = defineStage({
  name: "compare_deng",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    unwrapped: "unwrapped",
    regressed: "regressed",
    model: "model",
    topology: "assets",
    identity: "assets",
  },
  output: "reconstructions",
  each: ["crops", "unwrapped", "regressed"],
  batch: 8,
  params: z.strictObject({
    /** Variance of image noise against the prior; smaller follows the photograph closer. */
    noise: z.number().positive().default(0.002),
    lightRidge: z.number().min(0).default(0.0005),
    /** Residual beyond which a texel is taken for something other than skin. */
    huber: z.number().positive().default(0.06),
    turns: z.int().positive().default(8),
    photometric: z.number().min(0).default(1.92),
    perceptual: z.number().min(0).default(0.2),
    /** Weight of the mean squared coefficient in the perceptual refinement. */
    prior: z.number().min(0).default(0.005),
    /** Steps of the perceptual refinement. */
    steps: z.int().min(0).default(8),
    learningRate: z.number().positive().default(0.1),
  }),
  determinism: { atol: 2 / 255, rtol: 0 },
  computes: { webgpu: "light and albedo fit, perceptual refinement of the albedo, shading, rendering" },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { uploadAlbedoBasis } = await import("../../face/albedo_basis.ts");
    const { uvMap } = await import("../../face/uv_map.ts");
    const { openIdentity } = await import("../faces/identity.ts");
    const { openFaceModel } = await import("../faces/face_model.ts");
    const [model, network] = await Promise.all([openFaceModel(inputs), openIdentity(inputs.identity)]);
    const { tf, morphable, topology, size } = model;
    const basis = uploadAlbedoBasis(tf, morphable, { inside: uvMap(topology, size).inside });
    const whole = uploadAlbedoBasis(tf, morphable, { stride: 1 });
    return { model, network, basis, whole };
  },
  close: async ({ model, network, basis, whole }) => {
    const { disposeAlbedoBasis } = await import("../../face/albedo_basis.ts");
    network.dispose();
    disposeAlbedoBasis(basis);
    disposeAlbedoBasis(whole);
    (await import("../faces/face_model.ts")).closeFaceModel(model);
  },
  run: async ({ items, params, resource: { model, network, basis, whole } }) => {
    const { albedoMaps } = await import("../../face/albedo_maps.ts");
    const { shadingMaps, uploadMeshes } = await import("../../face/normal_maps.ts");
    const { RECOGNITION128_SIZE } = await import("../../nets/recognition128.ts");
    const { fitSeen, whyUnfit } = await import("../faces/fit_seen.ts");
    const { readSeen } = await import("../faces/geometry.ts");
    const { writeReconstructions } = await import("../faces/reconstruction.ts");
    const { readFaces } = await import("../faces/face_model.ts");
    const { refineCodes } = await import("./parts/linear_face.ts");
    const { tf, topology, size, parts } = model;
    const [read, seen] = await Promise.all([
      readFaces(items),
      Promise.all(items.map(({ key, inputs }) => readSeen(inputs.unwrapped, key))),
    ]);
    const faces = items.flatMap(({ key, skip }, i) => {
      const face = { ...read[i]!, ...seen[i]! };
      const problem = whyUnfit(face, basis);
      if (problem !== undefined) skip(`${key}: ${problem}`);
      return problem === undefined ? [face] : [];
    });
    if (faces.length === 0) return;
    const fitted = await fitSeen(faces, { tf, basis, topology, size, ...params });
    const shading = tf.tidy(() =>
      shadingMaps(tf, uploadMeshes(tf, faces.map(({ vertices }) => vertices), topology), {
        light: tf.stack(fitted.map(({ light }) => tf.tensor1d(light))),
        topology,
        size,
      })
    );
    const started = faces.map(({ vertices, crop }, i) => ({ vertices, crop, code: fitted[i]!.code }));
    const codes = await refineCodes(started, { tf, topology, shading, basis: whole, huber: params.huber }, {
      ...params,
      network: { side: RECOGNITION128_SIZE, describe: (pictures) => network.embed(pictures) },
    });
    const albedo = albedoMaps(tf, parts, { codes });
    const texture = tf.mul<Tensor4D>(albedo, shading);
    shading.dispose();
    await writeReconstructions(faces, { tf, texture, albedo, topology, stage: "compare_deng" });
  },
});

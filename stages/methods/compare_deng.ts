/**
 * The comparator Deng et al. 2019, re-made: a linear albedo and light, fitted to the photograph itself with a weak
 * prior, on skin only, by pixels and through a recognition network. Their skin mask keeps hair, glasses and hands out
 * of the photometric loss (sicxu/Deep3DFaceRecon_pytorch, `models/losses.py`). Here a robust (Huber) weight does: what
 * the linear model cannot explain as skin counts less. The weights of the terms are theirs.
 *
 * The perceptual network is the 128-d one, which trains and never scores.
 */
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
    noise: z.number().positive().default(0.0005),
    lightRidge: z.number().min(0).default(0.003),
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
  computes: {
    webgpu: "perceptual refinement of the albedo",
    cpu: "light and albedo fit, rendering; not on WebGPU yet",
  },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { readFaceModel } = await import("../faces/training_set.ts");
    const { openIdentity } = await import("../faces/identity.ts");
    return { ...await readFaceModel(inputs), network: await openIdentity(inputs.identity) };
  },
  close: ({ network }) => network.dispose(),
  run: async ({ items, params, resource: { topology, morphable, size, network } }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { stackMaps } = await import("../../nets/ftim_input.ts");
    const { fitLinearAlbedos } = await import("../../nets/linear_albedo_fit.ts");
    const { RECOGNITION128_SIZE } = await import("../../nets/recognition128.ts");
    const { linearFace } = await import("./parts/linear_face.ts");
    const { readImage } = await import("../faces/photograph.ts");
    const { fitAlbedo } = await import("../../face/albedo_fit.ts");
    const { albedoOf } = await import("../../face/morphable.ts");
    const { shade } = await import("../../face/light.ts");
    const { normalMap } = await import("../../face/shading.ts");
    const { readSeen } = await import("../faces/geometry.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { writeReconstructions } = await import("../faces/reconstruction.ts");
    const tf = await openTfjs();
    const faces = await Promise.all(items.map(async ({ key, inputs }) => {
      const { vertices } = await readRegression(inputs.regressed, key);
      const { texture: seen, visibility } = await readSeen(inputs.unwrapped, key);
      const normals = normalMap(vertices, topology, { size });
      const { light, code } = fitAlbedo(morphable, { texture: seen, weight: visibility, normals }, params);
      const shading = shade(normals, light);
      const crop = await readImage(inputs.crops, `${key}.png`);
      return {
        vertices,
        crop,
        shading,
        linear: linearFace(crop, { vertices, topology, shading, morphable, code, huber: params.huber }),
      };
    }));
    const codes = await fitLinearAlbedos(tf, faces.map(({ linear }) => linear), {
      ...params,
      network: { side: RECOGNITION128_SIZE, describe: (pictures) => network.embed(pictures) },
    });
    const maps = items.map((_, i) => {
      const albedo = albedoOf(morphable, codes[i]!);
      return { albedo, texture: albedo.map((value, k) => value * faces[i]!.shading[k]!) };
    });
    const stack = (name: "albedo" | "texture") => stackMaps(tf, maps.map((map) => map[name]), [size, size, 3]);
    await writeReconstructions(
      items.map(({ key, out }, i) => ({ key, out, ...faces[i]! })),
      { tf, texture: stack("texture"), albedo: stack("albedo"), topology, stage: "compare_deng" },
    );
  },
});

/**
 * The comparator Deng et al. 2019 in `embedded`: a linear albedo and light, fitted to the photograph itself with a weak prior, on skin only.
 * Their skin mask keeps hair, glasses and hands out of the photometric loss (sicxu/Deep3DFaceRecon_pytorch, `models/losses.py`);
 * here a robust (Huber) weight does: what the linear model cannot explain as skin counts less. Their perceptual term comes with issue 5.
 *
 * @module
 */
import { z } from "zod";
import { defineStage } from "../pipeline/mod.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareDeng = defineStage({
  name: "compare_deng",
  module: import.meta.url,
  inputs: { crops: "aligned", unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "reconstructions",
  each: ["crops", "unwrapped", "regressed"],
  params: z.strictObject({
    /** Variance of image noise against the prior; smaller follows the photograph closer. */
    noise: z.number().positive().default(0.0005),
    lightRidge: z.number().min(0).default(0.003),
    /** Residual beyond which a texel is taken for something other than skin. */
    huber: z.number().positive().default(0.06),
    turns: z.int().positive().default(8),
  }),
  determinism: "bitwise",
  open: async ({ inputs }) => (await import("./training_set.ts")).readFaceModel(inputs),
  run: async ({ items, params, resource: { topology, morphable, size } }) => {
    const { fitAlbedo } = await import("../face/albedo_fit.ts");
    const { albedoOf } = await import("../face/morphable.ts");
    const { shade } = await import("../face/light.ts");
    const { normalMap } = await import("../face/shading.ts");
    const { readSeen } = await import("./geometry.ts");
    const { readRegression } = await import("./regression.ts");
    const { writeReconstruction } = await import("./reconstruction.ts");
    for (const { key, inputs, out } of items) {
      const { vertices } = await readRegression(inputs.regressed, key);
      const { texture: seen, visibility } = await readSeen(inputs.unwrapped, key);
      const normals = normalMap(vertices, topology, { size });
      const { light, code } = fitAlbedo(morphable, { texture: seen, weight: visibility, normals }, params);
      const albedo = albedoOf(morphable, code);
      const shading = shade(normals, light);
      const texture = albedo.map((value, i) => value * shading[i]!);
      await writeReconstruction({ texture, albedo }, { key, crops: inputs.crops, out, vertices, topology });
    }
  },
});

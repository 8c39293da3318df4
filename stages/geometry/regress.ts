/**
 * The fixed 3DMM regressor (paper, section 3.1): image → shape, expression, pose, light, template albedo, posed
 * vertices. The paper's is DECA's encoder. Here the linear model is fitted to the face mesh network's vertices: shape
 * and expression by ridge least squares, pose by Procrustes, light and albedo by turns (`face/albedo_fit.ts`).
 *
 * The posed vertices stay the network's own, corrected (`correct_mesh.ts`), because the model's few components explain
 * them less well. Only texels that were seen take part in the fit of light and albedo.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";

/** Meshes and their crops → `<key>.safetensors` (see `regression.ts`). */
export const regress = defineStage({
  name: "regress",
  module: import.meta.url,
  inputs: { meshes: "meshes", unwrapped: "unwrapped", model: "model", topology: "assets" },
  output: "regressed",
  each: ["meshes", "unwrapped"],
  batch: 8,
  params: z.strictObject({
    /** Variance of image noise against the albedo prior. */
    noise: z.number().positive().default(0.0025),
    /** Pull of the light toward a plain ambient one. */
    lightRidge: z.number().min(0).default(0.01),
    /**
     * Residual beyond which a texel is taken for something other than skin in this light: hair, a shadow, a highlight.
     */
    huber: z.number().positive().default(0.06),
    turns: z.int().positive().default(6),
  }),
  determinism: "bitwise",
  computes: { cpu: "pose: a small solve; shape, light and albedo fits; not on WebGPU yet" },
  open: async ({ inputs }) => {
    const { readMorphable, readTopology } = await import("../faces/geometry.ts");
    return { topology: await readTopology(inputs.topology), model: await readMorphable(inputs.model) };
  },
  run: async ({ items, params, resource: { topology, model } }) => {
    const { fitAlbedo } = await import("../../face/albedo_fit.ts");
    const { fitShape } = await import("../../face/morphable.ts");
    const { anglesFromRotation } = await import("../../face/pose.ts");
    const { normalMap } = await import("../../face/shading.ts");
    const { readMesh, readSeen } = await import("../faces/geometry.ts");
    const { encodeRegression } = await import("../faces/regression.ts");
    for (const { key, inputs, out, skip } of items) {
      const vertices = await readMesh(inputs.meshes, key);
      const { texture, visibility } = await readSeen(inputs.unwrapped, key);
      if (visibility.every((value) => value === 0)) {
        skip(`${key}: the mesh shows no part of its front to the camera`);
        continue;
      }
      const { identity, expression, pose } = fitShape(model, vertices);
      const size = Math.sqrt(visibility.length);
      const seen = { texture, weight: visibility, normals: normalMap(vertices, topology, { size }) };
      const { light, code } = fitAlbedo(model, seen, params);
      const angles = anglesFromRotation(pose.rotation);
      out.write(
        `${key}.safetensors`,
        encodeRegression({ vertices, identity, expression, angles, light, albedo: code }),
      );
    }
  },
});

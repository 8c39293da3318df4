/**
 * The fixed 3DMM regressor (paper, section 3.1): image → shape, expression, pose, light, template albedo, posed
 * vertices. The paper's is DECA's encoder. Here the linear model is fitted to the face mesh network's vertices: shape
 * and expression by ridge least squares, pose by Procrustes, light and albedo by turns (`face/fit_albedos.ts`).
 *
 * The posed vertices stay the network's own, corrected (`correct_mesh.ts`), because the model's few components explain
 * them less well. Only texels that were seen take part in the fit of light and albedo. Of a mesh that came with shape,
 * expression and pose (`deca.ts`) these are kept, and so are light and albedo if the model's albedo space is the one
 * that they are of (`flame.ts`); otherwise light and albedo alone are fitted.
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
  batch: 16,
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
  computes: { webgpu: "light and albedo fits", cpu: "pose and shape: a small solve" },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { uploadAlbedoBasis } = await import("../../face/albedo_basis.ts");
    const { uvMap } = await import("../../face/uv_map.ts");
    const { safetensorsMetadata } = await import("../../nets/safetensors.ts");
    const { readMorphable, readTopology } = await import("../faces/geometry.ts");
    const [tf, topology, model] = await Promise.all([
      openTfjs(),
      readTopology(inputs.topology),
      readMorphable(inputs.model),
    ]);
    const size = Math.sqrt(model.albedoMean.length / 3);
    const basis = uploadAlbedoBasis(tf, model, { inside: uvMap(topology, size).inside });
    const { albedo } = safetensorsMetadata(await inputs.model.bytes("model.safetensors"));
    return { tf, topology, model, size, basis, encodes: albedo === "encoded" };
  },
  close: async ({ basis, topology }) => {
    (await import("../../face/albedo_basis.ts")).disposeAlbedoBasis(basis);
    (await import("../../face/uv_tables.ts")).disposeUvTables(topology);
  },
  run: async ({ items, params, resource: { model, encodes, ...shared } }) => {
    const { fitShape } = await import("../../face/morphable.ts");
    const { anglesFromRotation } = await import("../../face/pose.ts");
    const { fitSeen, whyUnfit } = await import("../faces/fit_seen.ts");
    const { readMesh, readSeen } = await import("../faces/geometry.ts");
    const { encodeRegression, readEncoded } = await import("../faces/regression.ts");
    const read = await Promise.all(items.map(async ({ key, inputs, out, skip }) => {
      const [vertices, seen, encoded] = await Promise.all([
        readMesh(inputs.meshes, key),
        readSeen(inputs.unwrapped, key),
        readEncoded(inputs.meshes, key),
      ]);
      if (encodes && encoded !== undefined) {
        out.write(`${key}.safetensors`, encodeRegression(encoded));
        return [];
      }
      const problem = whyUnfit({ vertices, ...seen }, shared.basis);
      if (problem !== undefined) skip(`${key}: ${problem}`);
      return problem === undefined ? [{ out, key, vertices, encoded, ...seen }] : [];
    }));
    const faces = read.flat();
    if (faces.length === 0) return;
    const shapeOf = (vertices: Float32Array) => {
      const { identity, expression, pose } = fitShape(model, vertices);
      return { identity, expression, angles: anglesFromRotation(pose.rotation) };
    };
    const [fitted, shapes] = await Promise.all([
      fitSeen(faces, { ...shared, ...params }),
      // The device computes meanwhile.
      Promise.resolve().then(() => faces.map(({ vertices, encoded }) => encoded ?? shapeOf(vertices))),
    ]);
    for (const [i, { key, out, vertices }] of faces.entries()) {
      const { light, code } = fitted[i]!;
      out.write(`${key}.safetensors`, encodeRegression({ ...shapes[i]!, vertices, light, albedo: code }));
    }
  },
});

/**
 * Second half of `mesh`: takes the mesh network's usual error (`calibrate.ts`) off each mesh. What comes after reads
 * these files as it would those of `mesh`.
 */
import type { Angles } from "../../face/pose.ts";
import { defineStage } from "@ftim/pipeline";

/**
 * Meshes and the pose network's angles → `<key>.safetensors` with `vertices` [V,3] in crop pixels (z away) and `score`
 * [1].
 */
export const correctMeshes = defineStage({
  name: "correct_mesh",
  module: import.meta.url,
  inputs: { meshes: "meshes", angles: "angles", correction: "correction" },
  output: "meshes",
  each: ["meshes", "angles"],
  batch: 32,
  determinism: "bitwise",
  computes: { cpu: "a mesh's pose and 16 numbers a coordinate: a small solve" },
  open: async ({ inputs }) => {
    const { decodeCorrection } = await import("../../face/mesh_correction.ts");
    const { decodeSafetensors } = await import("../../nets/safetensors.ts");
    return decodeCorrection(decodeSafetensors(await inputs.correction.bytes("correction.safetensors")));
  },
  run: async ({ items, resource: correction }) => {
    const { applyCorrection } = await import("../../face/mesh_correction.ts");
    const { encodeMesh, readStoredMesh } = await import("../faces/geometry.ts");
    await Promise.all(items.map(async ({ key, inputs, out }) => {
      const [{ vertices, score }, angles] = await Promise.all([
        readStoredMesh(inputs.meshes, key),
        inputs.angles.json<Angles>(`${key}.json`),
      ]);
      const corrected = applyCorrection(correction, { vertices, angles });
      out.write(`${key}.safetensors`, encodeMesh({ vertices: corrected, score }));
    }));
  },
});

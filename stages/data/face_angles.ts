/**
 * Stage `face_angles`: the pose network's angles of each face, from the photographs' poses (`pose.ts`), under the keys
 * of the aligned crops. The mesh network makes turned heads too frontal; the pose network, which knows nothing of
 * meshes, tells by how much (`calibrate.ts`).
 */
import { defineStage } from "@ftim/pipeline";
import type { Pose } from "./pose.ts";

/** Poses of photographs → `<photograph>/<face>.json`: yaw, pitch and roll in degrees. */
export const faceAngles = defineStage({
  name: "face_angles",
  module: import.meta.url,
  inputs: { poses: "poses" },
  output: "angles",
  each: ["poses"],
  batch: 32,
  determinism: "bitwise",
  computes: { cpu: "bookkeeping" },
  run: async ({ items }) => {
    for (const { key, inputs, out } of items) {
      const { faces } = await inputs.poses.json<Pose>(`${key}.json`);
      for (const [face, angles] of faces.entries()) out.json(`${key}/${face}.json`, angles);
    }
  },
});

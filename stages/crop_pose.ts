/**
 * Stage `crop_pose`: the head's angles in each aligned crop, by the network that sorts the photographs (`pose.ts`). The mesh network
 * makes turned heads too frontal; this one, which knows nothing of meshes, tells by how much (`calibrate.ts`).
 *
 * @module
 */
import { toCrop } from "../face/crop.ts";
import { defineStage } from "../pipeline/mod.ts";
import type { AlignedFace } from "./align.ts";

/** Aligned crops → `<key>.json`: yaw, pitch and roll in degrees. */
export const poseCrops = defineStage({
  name: "crop_pose",
  module: import.meta.url,
  inputs: { crops: "aligned", network: "assets" },
  output: "angles",
  each: ["crops"],
  batch: 8,
  determinism: { atol: 0.1, rtol: 1e-3 },
  resources: { gpu: true },
  open: async ({ inputs: { network } }) => {
    const { openHeadPose } = await import("../nets/head_pose.ts");
    return await openHeadPose(await network.bytes(network.paths[0]!));
  },
  close: (network) => network.dispose(),
  run: async ({ items, resource: network }) => {
    const { readImage } = await import("./photograph.ts");
    for (const { key, inputs, out } of items) {
      const crop = await readImage(inputs.crops, `${key}.png`);
      const { box, transform } = await inputs.crops.json<AlignedFace>(`${key}.json`);
      const { x: left, y: top } = toCrop(transform, { x: box.left, y: box.top });
      const [width, height] = [transform.scale * box.width, transform.scale * box.height];
      out.json(`${key}.json`, await network.estimate(crop, { left, top, width, height }));
    }
  },
});

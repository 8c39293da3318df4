/**
 * What the cameras of real captures say of each photograph: identity and expression by its place, and the head's yaw
 * where `Rt_scale_dict.json` relates the camera to the head. With it the data funnel is scored on FaceScape's captures
 * as it is on made ones, which know more: whether a face is visible is told by the yaw alone.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { keysOf } from "../faces/keys_of.ts";
import type { ImportedImage } from "./import.ts";
import { MOST_YAW } from "./triplets.ts";

/** Imported captures → `truth.json`, as `filter_report` reads it. Yaw and face are null where the camera is not. */
export const cameraTruth = defineStage({
  name: "camera_truth",
  module: import.meta.url,
  inputs: { images: "images" },
  output: "truth",
  params: z.strictObject({}),
  determinism: "bitwise",
  computes: { cpu: "bookkeeping" },
  run: async ({ inputs: { images }, out, log }) => {
    const truth = await Promise.all(
      keysOf(images, ".json").map(async (key) => {
        const { angles, identity, expression } = await images.json<ImportedImage>(`${key}.json`);
        const yaw = angles?.yaw ?? null;
        return { key, hasFace: yaw === null ? null : Math.abs(yaw) <= MOST_YAW, yaw, identity, expression };
      }),
    );
    const unknown = truth.filter(({ yaw }) => yaw === null).length;
    if (unknown > 0) {
      log(`of ${unknown} of ${truth.length} photographs the camera is not known: Rt_scale_dict.json or params.json`);
    }
    out.json("truth.json", truth);
  },
});

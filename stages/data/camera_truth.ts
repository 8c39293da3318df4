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

/** Imported captures → `truth.json`, as `filter_report` reads it. The yaw is null where the camera is not known. */
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
        return { key, hasFace: yaw === null || Math.abs(yaw) <= MOST_YAW, yaw, identity, expression };
      }),
    );
    if (truth.every(({ yaw }) => yaw === null)) {
      log("no photograph's camera is known: Rt_scale_dict.json and params.json name none of them");
    }
    out.json("truth.json", truth);
  },
});

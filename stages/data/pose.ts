/**
 * Stage `pose`: the head's yaw, pitch and roll in each detected face, by Hopenet (the paper's [Ruiz et al. 2018]). The
 * yaw decides the bin of a photograph. Where the captures' cameras are related to the head (`Rt_scale_dict.json`), the
 * angles are known exactly. They are kept beside the network's, and can take their place.
 */

import { z } from "zod";
import { runsOnGpu } from "@ftim/gpu/onnx";
import { type HeadAngles, type HeadPose, openHeadPose } from "../../nets/head_pose.ts";
import { defineStage } from "@ftim/pipeline";
import type { Detection } from "./detect.ts";
import type { ImportedImage } from "./import.ts";
import { readPixels } from "../faces/photograph.ts";

/** `<key>.json` of a photograph with a face. */
export interface Pose {
  /** Degrees, one entry for each face of the detection, in its order. */
  readonly faces: readonly HeadAngles[];
  /** What the camera says of the head, degrees; null if unknown. */
  readonly known: HeadAngles | null;
}

/** Images and their faces → `<key>.json` ({@link Pose}). */
export const estimatePose = defineStage({
  name: "pose",
  module: import.meta.url,
  inputs: { images: "images", detections: "detections", network: "assets" },
  output: "poses",
  each: ["images", "detections"],
  batch: 8,
  params: z.strictObject({
    /** `network`: as in the paper; `camera`: the known angles where there are any. */
    from: z.enum(["network", "camera"]).default("network"),
    /** Also read the mirrored face and take the mean. */
    mirror: z.boolean().default(true),
  }),
  determinism: { atol: 0.1, rtol: 1e-3 },
  computes: {
    webgpu: "cutting out and resizing, on a GPU",
    onnxruntime: "the head pose network (on a software adapter by its CPU provider, which is faster there)",
    cpu: "on a software adapter cutting out and resizing, beside the network",
  },
  resources: { gpu: runsOnGpu },
  open: ({ inputs: { network } }) => {
    let opened: Promise<HeadPose> | undefined; // cameras that tell the angles need no network
    return {
      network: () => opened ??= network.bytes(network.paths[0]!).then(openHeadPose),
      dispose: async () => await (await opened)?.dispose(),
    };
  },
  close: (resource) => resource.dispose(),
  run: async ({ items, params: { from, mirror }, resource }) => {
    const { groupsByPixels } = await import("../faces/by_pixels.ts");
    const work = async ({ key, inputs, out }: typeof items[number]) => {
      const { angles } = await inputs.images.json<ImportedImage>(`${key}.json`);
      const { faces } = await inputs.detections.json<Detection>(`${key}.json`);
      if (from === "camera" && angles !== null) {
        out.json(`${key}.json`, { faces: faces.map(() => angles), known: angles } satisfies Pose);
        return;
      }
      const image = await readPixels(inputs.images, `${key}.png`);
      const network = await resource.network();
      const estimated = await Promise.all(faces.map((face) => network.estimate(image, face, { mirror })));
      out.json(`${key}.json`, { faces: estimated, known: angles } satisfies Pose);
    };
    // Side by side: on a GPU each waits for its answer.
    for (const group of await groupsByPixels(items)) await Promise.all(group.map(work));
  },
});

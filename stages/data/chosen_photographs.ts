/**
 * The photographs that triplets were chosen from, out of all that show a face. Of FaceScape's 400k photographs the
 * paper goes on with 1.5k triplets; crops, meshes and textures are made of these only.
 */
import { defineStage } from "@ftim/pipeline";
import type { Triplets } from "./triplets.ts";

/**
 * Detections (`<photograph>.json`) and triplets of `<photograph>/<face>` → the detections of the triplets' photographs.
 */
export const choosePhotographs = defineStage({
  name: "choose_photographs",
  module: import.meta.url,
  inputs: { detections: "detections", triplets: "triplets" },
  output: "detections",
  determinism: "bitwise",
  computes: { cpu: "bookkeeping" },
  run: async ({ inputs: { detections, triplets }, out }) => {
    const { triplets: all } = await triplets.json<Triplets>("triplets.json");
    const views = all.flatMap(({ views }) => views);
    const photographs = new Set(views.map((key) => key.slice(0, key.lastIndexOf("/"))));
    for (const photograph of [...photographs].sort()) {
      out.write(`${photograph}.json`, await detections.bytes(`${photograph}.json`));
    }
  },
});

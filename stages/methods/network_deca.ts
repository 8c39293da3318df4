/**
 * The comparator DECA as its authors' network: crop, geometry, camera, light and albedo are theirs
 * (nets/comparators/deca.ts), and its whole head is drawn over the aligned crop, as their own renderer draws it over a
 * background. `compare_deca.ts` is that method's texture model, re-made.
 */
import { defineComparatorNetwork } from "./parts/comparator_stage.ts";

/** The stages `network_deca` and `network_deca_views`. */
export const networkDeca = defineComparatorNetwork({
  name: "network_deca",
  module: import.meta.url,
  files: ["encoder", "flame", "landmarks", "template", "albedo"],
  open: async ({ encoder, flame, landmarks, template, albedo }) => {
    const { openDeca } = await import("../../nets/comparators/deca.ts");
    const { onlyFile } = await import("../data/parts/file_source.ts");
    return await openDeca({
      encoder: await onlyFile(encoder),
      flame: await onlyFile(flame),
      landmarks: await onlyFile(landmarks),
      template: await template.text(template.paths[0]!),
      albedo: await onlyFile(albedo),
    });
  },
});

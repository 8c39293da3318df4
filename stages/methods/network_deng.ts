/**
 * The comparator Deng as its authors' network: crop, geometry, camera and light are theirs (nets/comparators/deng.ts),
 * and its mesh is drawn over the aligned crop. `compare_deng.ts` is that method's texture model, re-made. The paper
 * does not say how it drew the comparators; each is drawn on its own geometry here.
 */
import { defineComparatorNetwork } from "./parts/comparator_stage.ts";

/** The stages `network_deng` and `network_deng_views`. */
export const networkDeng = defineComparatorNetwork({
  name: "network_deng",
  module: import.meta.url,
  files: ["encoder", "model", "standard"],
  open: async ({ encoder, model, standard }) => {
    const { openDeng } = await import("../../nets/comparators/deng.ts");
    const { onlyFile } = await import("../data/parts/file_source.ts");
    return await openDeng({
      encoder: await onlyFile(encoder),
      model: await onlyFile(model),
      standard: await onlyFile(standard),
    });
  },
});

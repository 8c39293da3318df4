/**
 * The comparator Chen as its authors' networks, coarse and fine: geometry, camera and light are theirs
 * (nets/chen_regressor.ts), and the detailed mesh, which is what the method is published for, is drawn over the aligned
 * crop. `compare_chen.ts` is that method's texture model, re-made.
 */
import { defineComparatorNetwork } from "./parts/comparator_stage.ts";

/** The stages `network_chen` and `network_chen_views`. */
export const networkChen = defineComparatorNetwork({
  name: "network_chen",
  module: import.meta.url,
  files: ["checkpoints", "resources"],
  batch: 4,
  open: async ({ checkpoints, resources }, tf) => {
    const { chenComparator } = await import("../../nets/comparators/chen.ts");
    const { openChenRegressor } = await import("../../nets/chen_regressor.ts");
    const { readPixels } = await import("../faces/photograph.ts");
    const { fileIn, pathIn } = await import("./parts/folder_files.ts");
    const regressor = await openChenRegressor({
      coarse: await fileIn(checkpoints, /^coarse.*\.(index|safetensors)$/),
      model: await fileIn(resources, "BFM2009_Model.mat"),
      detail: {
        network: await fileIn(checkpoints, /^fine.*\.(index|safetensors)$/),
        places: await fileIn(resources, "vertex_uv_ind.npz"),
        brows: await fileIn(resources, "wo_eyebrow_mask.npy"),
        nose: await fileIn(resources, "wo_nose_mask.npy"),
        face: await readPixels(resources, pathIn(resources, "face_mask.png")),
      },
    });
    return chenComparator(tf, regressor);
  },
});

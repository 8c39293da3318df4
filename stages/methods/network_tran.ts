/**
 * The comparator Tran as its authors' network: geometry, camera and light are theirs (nets/tran_regressor.ts), and its
 * mesh is drawn over the aligned crop. `compare_tran.ts` is that method's texture model, re-made.
 */
import { defineComparatorNetwork } from "./parts/comparator_stage.ts";

/** The stages `network_tran` and `network_tran_views`. */
export const networkTran = defineComparatorNetwork({
  name: "network_tran",
  module: import.meta.url,
  files: ["checkpoint", "definition"],
  open: async ({ checkpoint, definition }, tf) => {
    const { tranComparator } = await import("../../nets/comparators/tran.ts");
    const { openTranRegressor } = await import("../../nets/tran_regressor.ts");
    const { fileIn } = await import("./parts/folder_files.ts");
    const regressor = await openTranRegressor({
      network: await fileIn(checkpoint, /\.(index|safetensors)$/),
      definition: (name) => fileIn(definition, name),
    });
    return tranComparator(tf, regressor);
  },
});

/**
 * The face without FTIM but with what all losses teach, for the ablation: what the view showed, and where it showed
 * nothing the lit template with the map that `train_map` learned.
 */
import { defineNetworkMethod } from "./parts/network_method.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const reconstructMap = defineNetworkMethod({
  name: "reconstruct_map",
  module: import.meta.url,
  model: async () => {
    const { learnedMapModel } = await import("../../nets/learned_map.ts");
    const { mapStoredShape } = await import("../training/train_map.ts");
    return (tf, shape) => learnedMapModel(tf, mapStoredShape.parse(shape));
  },
});

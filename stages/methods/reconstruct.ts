/**
 * Our method on faces: incomplete texture, first guess and template → complete texture and albedo by FTIM with a first
 * guess, rendered into the crop (paper, section 3.2).
 */
import { defineNetworkMethod } from "./parts/network_method.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const reconstruct = defineNetworkMethod({
  name: "reconstruct",
  module: import.meta.url,
  model: async () => {
    const { ftimModel } = await import("../../nets/ftim.ts");
    const { ftimStoredShape } = await import("../training/train.ts");
    return (tf, shape) => ftimModel(tf, ftimStoredShape.parse(shape));
  },
});

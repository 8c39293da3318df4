/**
 * FTIM as the paper prints it on faces: incomplete texture and template albedo → complete texture and albedo, rendered
 * into the crop (paper, section 3.2).
 */
import { defineNetworkMethod } from "./parts/network_method.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const reconstructPrinted = defineNetworkMethod({
  name: "reconstruct_printed",
  module: import.meta.url,
  model: async () => {
    const { ftimPrintedModel } = await import("../../nets/ftim_printed.ts");
    const { printedStoredShape } = await import("../training/train_printed.ts");
    return (tf, shape) => ftimPrintedModel(tf, printedStoredShape.parse(shape));
  },
});

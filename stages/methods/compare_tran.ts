/**
 * The comparator Tran et al. 2019 in `embedded`: the albedo that the trained decoder without skip connections
 * (`train_tran`) makes of the face, in the light that the regressor found, rendered like ours. Conventions:
 * tranluan/Nonlinear_Face_3DMM.
 */
import { defineNetworkMethod } from "./parts/network_method.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareTran = defineNetworkMethod({
  name: "compare_tran",
  module: import.meta.url,
  model: async ({ size, morphable }) => {
    const { tranModel } = await import("../../nets/tran.ts");
    const { tranShape } = await import("../training/train_tran.ts");
    return (tf, shape) => tranModel(tf, { ...tranShape.parse(shape), side: size, mean: morphable.albedoMean });
  },
});

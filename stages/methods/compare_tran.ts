/**
 * The comparator Tran et al. 2019, re-made: the albedo that the trained decoder without skip connections (`train_tran`)
 * makes of the face, in the light that the regressor found, rendered like ours. Conventions:
 * tranluan/Nonlinear_Face_3DMM.
 *
 * @module
 */
import { defineStage } from "@ftim/pipeline";
import { faceInputs, faceItems } from "../faces/face_inputs.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const compareTran = defineStage({
  name: "compare_tran",
  module: import.meta.url,
  inputs: { ...faceInputs, weights: "weights" },
  output: "reconstructions",
  each: faceItems,
  batch: 4,
  determinism: { atol: 2 / 255, rtol: 0 },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { readFaceModel } = await import("../faces/training_set.ts");
    const { openNetwork } = await import("./parts/network_reconstruction.ts");
    const { tranModel } = await import("../../nets/tran.ts");
    const { tranShape } = await import("../training/train_tran.ts");
    const faces = await readFaceModel(inputs);
    return {
      faces,
      network: await openNetwork(
        await inputs.weights.bytes("network.safetensors"),
        (tf, shape) => tranModel(tf, { ...tranShape.parse(shape), side: faces.size, mean: faces.morphable.albedoMean }),
      ),
    };
  },
  close: ({ network }) => network.dispose(),
  run: async ({ items, resource }) => {
    const { completeFaces } = await import("./parts/network_reconstruction.ts");
    await completeFaces(items, resource);
  },
});

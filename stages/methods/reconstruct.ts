/**
 * Our method on faces: incomplete texture and template → complete texture and albedo by FTIM, rendered into the crop
 * (paper, section 3.2).
 *
 * @module
 */
import { defineStage } from "@ftim/pipeline";
import { faceInputs, faceItems } from "../faces/face_inputs.ts";

/** Faces → `<key>.{render,texture,albedo}.png`. */
export const reconstruct = defineStage({
  name: "reconstruct",
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
    const { ftimModel } = await import("../../nets/ftim.ts");
    const { ftimStoredShape } = await import("../training/train.ts");
    return {
      faces: await readFaceModel(inputs),
      network: await openNetwork(
        await inputs.weights.bytes("network.safetensors"),
        (tf, shape) => ftimModel(tf, ftimStoredShape.parse(shape)),
      ),
    };
  },
  close: ({ network }) => network.dispose(),
  run: async ({ items, resource }) => {
    const { completeFaces } = await import("./parts/network_reconstruction.ts");
    await completeFaces(items, resource);
  },
});

/** What the stages of both FTIMs and of Tran's method have in common: a trained network completes each face. */
import { defineStage } from "@ftim/pipeline";
import type { Tfjs } from "@ftim/gpu/tfjs";
import type { TextureModel } from "../../../nets/texture_model.ts";
import { faceInputs, faceItems } from "../../faces/face_inputs.ts";
import type { FaceModel } from "../../faces/training_set.ts";

/**
 * Faces and trained weights → `<key>.{render,texture,albedo}.png`.
 *
 * @param stage `name` and `module` as of `defineStage`; `model` gives the builder of the network from its stored shape
 */
export function defineNetworkMethod(
  { name, module, model }: {
    name: string;
    module: string;
    model(faces: FaceModel): Promise<(tf: Tfjs, shape: unknown) => TextureModel>;
  },
) {
  return defineStage({
    name,
    module,
    inputs: { ...faceInputs, weights: "weights" },
    output: "reconstructions",
    each: faceItems,
    batch: 8,
    determinism: { atol: 2 / 255, rtol: 0 },
    computes: { webgpu: "the network, albedo, shading, rendering" },
    resources: { gpu: true },
    open: async ({ inputs }) => {
      const { openFaceModel } = await import("../../faces/face_model.ts");
      const { openNetwork } = await import("./network_reconstruction.ts");
      const faces = await openFaceModel(inputs);
      const network = await openNetwork(await inputs.weights.bytes("network.safetensors"), await model(faces));
      return { model: faces, network };
    },
    close: async ({ model, network }) => {
      network.dispose();
      (await import("../../faces/face_model.ts")).closeFaceModel(model);
    },
    run: async ({ items, resource }) => {
      const { completeFaces } = await import("./network_reconstruction.ts");
      await completeFaces(items, { ...resource, stage: name });
    },
  });
}

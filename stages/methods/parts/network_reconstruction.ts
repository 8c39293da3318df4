/** Running a trained {@linkcode TextureModel} on faces, for our method and for Tran's. */
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { type FaceMaps, ftimInput } from "../../../nets/ftim_input.ts";
import { parametersFrom, toVariables } from "../../../nets/parameters.ts";
import type { TextureModel } from "../../../nets/texture_model.ts";
import type { Item, Tree } from "@ftim/pipeline";
import { decodeNetwork } from "../../training/parts/network_file.ts";
import { type Reconstruction, writeReconstruction } from "../../faces/reconstruction.ts";
import { type FaceModel, type FaceTrees, loadFace } from "../../faces/training_set.ts";

/** A trained network on the device. */
export interface TextureNetwork {
  complete(face: FaceMaps): Promise<Reconstruction>;
  dispose(): void;
}

/** Completes faces and writes their reconstructions. */
export async function completeFaces(
  items: readonly Item<Record<keyof FaceTrees, Tree>>[],
  { faces, network }: { faces: FaceModel; network: TextureNetwork },
): Promise<void> {
  for (const { key, inputs, out } of items) {
    const face = await loadFace(key, inputs, faces);
    const result = await network.complete(face.maps());
    await writeReconstruction(result, { key, out, crops: inputs.crops, ...face.regression, ...faces });
  }
}

/**
 * Opens a trained network.
 *
 * @param build makes the model of the stored shape
 */
export async function openNetwork(
  bytes: Uint8Array,
  build: (tf: Tfjs, shape: unknown) => TextureModel,
): Promise<TextureNetwork> {
  const tf = await openTfjs();
  const { shape, tensors } = decodeNetwork(bytes);
  const model = build(tf, shape);
  const variables = toVariables(tf, parametersFrom(tensors, model.parameters));
  return {
    async complete(face) {
      const [texture, albedo] = tf.tidy(() => {
        const input = ftimInput(tf, [face]);
        const albedo = model.albedo(variables, input);
        return [model.light({ ...input, albedo }), albedo] as const;
      });
      const [lit, plain] = await Promise.all([texture.data(), albedo.data()]) as [Float32Array, Float32Array];
      tf.dispose([texture, albedo] as tfjs.Tensor[]);
      return { texture: lit, albedo: plain };
    },
    dispose: () => tf.dispose(variables),
  };
}

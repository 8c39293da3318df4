/** Running a trained {@linkcode TextureModel} on faces, for both FTIMs and for Tran's method. */
import type { Tensor4D } from "@tensorflow/tfjs";
import { webgpuBackend } from "@ftim/gpu/backend";
import { isSoftware } from "@ftim/gpu/device";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import type { FtimInput } from "../../../nets/ftim_input.ts";
import { parametersFrom, toVariables } from "../../../nets/parameters.ts";
import type { TextureModel } from "../../../nets/texture_model.ts";
import type { Item, Tree } from "@ftim/pipeline";
import { type Reconstructions, writeReconstructions } from "../../faces/reconstruction.ts";
import type { DeviceFaceModel } from "../../faces/face_model.ts";
import type { FaceTrees } from "../../faces/training_set.ts";
import { decodeNetwork } from "../../training/parts/network_file.ts";
import { readFaceInput } from "./face_input.ts";

/** A trained network on the device. */
export interface TextureNetwork {
  /** Completes a batch of faces. A face has the same bits alone as in a batch. */
  complete(input: FtimInput & { readonly shading: Tensor4D }): Reconstructions;
  dispose(): void;
}

/**
 * Faces that a software adapter completes at a time: more are no faster there, and each takes 50 MB of the memory that
 * all else has.
 */
const ON_SOFTWARE = 2;

/** Completes faces and writes their reconstructions. */
export async function completeFaces(
  items: readonly Item<Record<keyof FaceTrees, Tree>>[],
  { model, network, stage }: { model: DeviceFaceModel; network: TextureNetwork; stage: string },
): Promise<void> {
  const { tf, topology } = model;
  const atOnce = isSoftware(webgpuBackend(tf).device) ? ON_SOFTWARE : items.length;
  for (let first = 0; first < items.length; first += atOnce) {
    const { faces, input } = await readFaceInput(items.slice(first, first + atOnce), model);
    const maps = network.complete(input);
    tf.dispose(Object.values(input));
    await writeReconstructions(faces, { tf, ...maps, topology, stage });
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
    complete: (input) =>
      tf.tidy(() => {
        const albedo = model.albedo(variables, input);
        return { texture: model.light({ ...input, albedo }), albedo };
      }),
    dispose: () => tf.dispose(variables),
  };
}

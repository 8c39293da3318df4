/** A batch of faces as FTIM's input: the maps that were stored, and the templates, which the device makes. */
import type { Tensor4D } from "@tensorflow/tfjs";
import { conditionCode, type FtimInput, stackMaps } from "../../../nets/ftim_input.ts";
import type { Item, Tree } from "@ftim/pipeline";
import { readSeen } from "../../faces/geometry.ts";
import { readImage } from "../../faces/photograph.ts";
import { type DeviceFaceModel, readFaces, type RegressedFace, templatesOf } from "../../faces/templates.ts";
import type { FaceTrees } from "../../faces/training_set.ts";

/**
 * Reads a batch of faces.
 *
 * @param items at least one
 * @returns the faces, and their maps on the device with the shading beside them [B, S, S, 3]
 */
export async function readFaceInput(
  items: readonly Item<Record<keyof FaceTrees, Tree>>[],
  model: DeviceFaceModel,
): Promise<{ faces: RegressedFace[]; input: FtimInput & { shading: Tensor4D } }> {
  const { tf, size } = model;
  const [faces, maps] = await Promise.all([
    readFaces(items),
    Promise.all(
      items.map(({ key, inputs: { unwrapped, guesses } }) =>
        Promise.all([readSeen(unwrapped, key), readImage(guesses, `${key}.png`)])
      ),
    ),
  ]);
  const stack = (values: Float32Array[], channels: number) => stackMaps(tf, values, [size, size, channels]);
  const input = tf.tidy(() => {
    const visibility = stack(maps.map(([seen]) => seen.visibility), 1);
    // In training the template is kept as bytes.
    const { albedo, shading } = templatesOf(faces, { ...model, levels: 255 });
    const codes = faces.map(({ expression, angles }) => tf.tensor1d(conditionCode(expression, angles)));
    return {
      incomplete: tf.mul<Tensor4D>(stack(maps.map(([seen]) => seen.texture), 3), visibility),
      visibility,
      guess: stack(maps.map(([, guess]) => guess.data), 3),
      templateAlbedo: albedo,
      templateTexture: tf.mul<Tensor4D>(albedo, shading),
      shading,
      code: tf.stack(codes) as FtimInput["code"],
    };
  });
  return { faces, input };
}

/** Faces as FTIM's input: the maps that were stored, and the templates, which the device makes. */
import type { Tensor4D } from "@tensorflow/tfjs";
import { conditionCode, type FaceMaps, type FtimInput, ftimInput } from "../../../nets/ftim_input.ts";
import type { Item, Tree } from "@ftim/pipeline";
import { readPixels } from "../../faces/photograph.ts";
import { type DeviceFaceModel, readFace, type RegressedFace, templatesOf } from "../../faces/templates.ts";
import type { FaceTrees } from "../../faces/training_set.ts";

/** A face with its stored maps. */
export type MappedFace = RegressedFace & { readonly maps: FaceMaps };

/** Reads a face with its stored maps. */
export async function readMappedFace(item: Item<Record<keyof FaceTrees, Tree>>): Promise<MappedFace> {
  const { key, inputs: { unwrapped, guesses } } = item;
  const [face, texture, visibility, guess] = await Promise.all([
    readFace(item),
    readPixels(unwrapped, `${key}.texture.png`),
    readPixels(unwrapped, `${key}.visibility.png`),
    readPixels(guesses, `${key}.png`),
  ]);
  const grey = new Uint8Array(visibility.data.length / 3);
  for (let i = 0; i < grey.length; i++) grey[i] = visibility.data[3 * i]!;
  const code = conditionCode(face.expression, face.angles);
  return { ...face, maps: { texture: texture.data, visibility: grey, guess: guess.data, code } };
}

/**
 * The maps of a batch on the device, with the shading beside them [B, S, S, 3].
 *
 * @param faces at least one
 */
export function faceInput(
  faces: readonly MappedFace[],
  model: DeviceFaceModel,
): FtimInput & { shading: Tensor4D } {
  // In training the template is kept as bytes.
  return ftimInput(model.tf, faces.map(({ maps }) => maps), templatesOf(faces, { ...model, levels: 255 }));
}

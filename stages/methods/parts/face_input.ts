/** A batch of faces as FTIM's input: the maps that were stored, and the templates, which the device makes. */
import type { Tensor4D } from "@tensorflow/tfjs";
import { templateMaps } from "../../../face/template_maps.ts";
import { conditionCode, type FtimInput, ftimInput } from "../../../nets/ftim_input.ts";
import type { Item, Tree } from "@ftim/pipeline";
import { readSeenBytes } from "../../faces/geometry.ts";
import { readPixels } from "../../faces/photograph.ts";
import { type DeviceFaceModel, readFaces, type RegressedFace } from "../../faces/face_model.ts";
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
  const { tf } = model;
  const [faces, maps] = await Promise.all([
    readFaces(items),
    Promise.all(
      items.map(({ key, inputs: { unwrapped, guesses } }) =>
        Promise.all([readSeenBytes(unwrapped, key), readPixels(guesses, `${key}.png`)])
      ),
    ),
  ]);
  // In training the template is kept as bytes.
  const templates = templateMaps(tf, faces, { ...model, levels: 255 });
  const input = ftimInput(
    tf,
    maps.map(([seen, guess], i) => ({
      ...seen,
      guess: guess.data,
      code: conditionCode(faces[i]!),
    })),
    templates,
  );
  return { faces, input };
}

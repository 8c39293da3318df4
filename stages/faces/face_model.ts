/** What all faces share, on the device, and what the regressor found of a batch of faces. */
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { type AlbedoParts, disposeAlbedoParts, uploadAlbedoParts } from "../../face/albedo_maps.ts";
import { disposeUvTables } from "../../face/uv_tables.ts";
import type { Item, Tree } from "@ftim/pipeline";
import { readPixels } from "./photograph.ts";
import type { ReconstructedFace } from "./reconstruction.ts";
import { readRegression, type Regression } from "./regression.ts";
import { type FaceModel, readFaceModel } from "./training_set.ts";

/** A face model whose albedo is on the device, too. */
export interface DeviceFaceModel extends FaceModel {
  readonly tf: Tfjs;
  readonly parts: AlbedoParts;
}

/** Reads what all faces share, until `closeFaceModel`. */
export async function openFaceModel(inputs: { model: Tree; topology: Tree }): Promise<DeviceFaceModel> {
  const [tf, model] = await Promise.all([openTfjs(), readFaceModel(inputs)]);
  return { ...model, tf, parts: uploadAlbedoParts(tf, model.morphable) };
}

/** Frees what a face model keeps on the device. */
export function closeFaceModel({ parts, topology }: DeviceFaceModel): void {
  disposeAlbedoParts(parts);
  disposeUvTables(topology);
}

/** A face as the regressor found it, and its crop. */
export type RegressedFace = ReconstructedFace & Regression;

/**
 * Reads the crops and regressions of a batch.
 *
 * @throws {RangeError} if a number of a regression is not finite; the message names the face
 */
export function readFaces(items: readonly Item<{ crops: Tree; regressed: Tree }>[]): Promise<RegressedFace[]> {
  return Promise.all(items.map(async ({ key, inputs: { crops, regressed }, out }) => {
    const [crop, regression] = await Promise.all([readPixels(crops, `${key}.png`), readRegression(regressed, key)]);
    for (const name of ["vertices", "light", "albedo"] as const) {
      if (regression[name].every(Number.isFinite)) continue;
      throw new RangeError(`${key}: its regression has ${name} that are no finite numbers`);
    }
    return { key, out, crop, ...regression };
  }));
}

/**
 * Triplets in memory: everything that a training step needs of a view, small enough that hundreds fit. Colours stay
 * bytes until a step asks for them. The render operator is built anew each time, which takes 2 ms and saves a megabyte
 * a view.
 */
import { albedoOf, type MorphableModel } from "../../face/morphable.ts";
import { renderOperator } from "../../face/render.ts";
import { shadingMap } from "../../face/shading.ts";
import type { Topology } from "../../face/topology.ts";
import { conditionCode, type FaceMaps } from "../../nets/ftim_input.ts";
import { meshSquare } from "../../nets/mesh_square.ts";
import type { Box } from "../../nets/resample_taps.ts";
import type { TrainingView } from "../../nets/triplet_loss.ts";
import type { Tree } from "@ftim/pipeline";
import { readMorphable, readSeen, readTopology } from "./geometry.ts";
import { readImage, toBytes } from "./photograph.ts";
import { readRegression, type Regression } from "./regression.ts";

/** The trees that hold a face's files, joined by key. */
export interface FaceTrees {
  crops: Tree;
  unwrapped: Tree;
  regressed: Tree;
  /** See `first_guess.ts`. */
  guesses: Tree;
}

/** What all faces share. */
export interface FaceModel {
  topology: Topology;
  morphable: MorphableModel;
  /** Side of the UV map in texels. */
  size: number;
}

/** Reads what all faces share. */
export async function readFaceModel({ model, topology }: { model: Tree; topology: Tree }): Promise<FaceModel> {
  const morphable = await readMorphable(model);
  return { topology: await readTopology(topology), morphable, size: Math.sqrt(morphable.albedoMean.length / 3) };
}

/** A loaded face; `maps` makes the float maps anew at each call. */
export interface LoadedFace {
  regression: Regression;
  maps(): FaceMaps;
}

/** A face with its crop, ready to be rendered and compared. */
export interface LoadedView extends LoadedFace {
  /** Side of the crop in pixels. */
  crop: number;
  /** The square of the crop that the identity network looks at. */
  face: Box;
  view(): TrainingView;
  photograph(): Float32Array;
}

/** The template that the regressor found for a face. */
export function templateOf(
  { albedo, vertices, light }: Regression,
  { morphable, topology, size }: FaceModel,
): { readonly albedo: Uint8ClampedArray; shading(): Float32Array } {
  return {
    albedo: toBytes(albedoOf(morphable, albedo)),
    shading: () => shadingMap(vertices, { light, topology, size }),
  };
}

/** Loads what FTIM needs of one face. */
async function loadFace(
  key: string,
  { unwrapped, regressed, guesses }: Omit<FaceTrees, "crops">,
  model: FaceModel,
): Promise<LoadedFace> {
  const regression = await readRegression(regressed, key);
  const seen = await readSeen(unwrapped, key);
  const [texture, visibility] = [toBytes(seen.texture), toBytes(seen.visibility)];
  const guess = toBytes((await readImage(guesses, `${key}.png`)).data);
  const { albedo, shading } = templateOf(regression, model);
  return {
    regression,
    maps: () => ({
      texture: toUnit(texture),
      visibility: toUnit(visibility),
      shading: shading(),
      albedo: toUnit(albedo),
      guess: toUnit(guess),
      code: conditionCode(regression.expression, regression.angles),
    }),
  };
}

/** Loads one view of a triplet. */
export async function loadView(key: string, trees: FaceTrees, model: FaceModel): Promise<LoadedView> {
  const face = await loadFace(key, trees, model);
  const crop = await readImage(trees.crops, `${key}.png`);
  const bytes = toBytes(crop.data);
  const { width, height } = crop;
  const square = meshSquare(face.regression.vertices, 1);
  return {
    ...face,
    crop: width,
    face: square,
    photograph: () => toUnit(bytes),
    view() {
      const operator = renderOperator(face.regression.vertices, { ...model, width, height });
      return {
        ...face.maps(),
        photograph: toUnit(bytes),
        operator,
        coverage: operator.coverage,
        face: square,
      };
    },
  };
}

/** Bytes as values in 0..1. */
export function toUnit(bytes: Uint8ClampedArray): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = bytes[i]! / 255;
  return values;
}

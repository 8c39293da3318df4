/**
 * Faces in memory: everything that a network needs of a face, as bytes where it was stored so, small enough that
 * hundreds fit.
 */
import type { MorphableModel } from "../../face/morphable.ts";
import type { Topology } from "../../face/topology.ts";
import { conditionCode } from "../../nets/ftim_input.ts";
import { meshSquare } from "../../nets/mesh_square.ts";
import type { TrainingView } from "../../nets/device_triplet.ts";
import type { Tree } from "@ftim/pipeline";
import { readMorphable, readSeenBytes, readTopology, readVisibilityBytes } from "./geometry.ts";
import { readPixels } from "./photograph.ts";
import { readRegression } from "./regression.ts";

/** The trees that hold a face's files, joined by key. */
export interface FaceTrees {
  crops: Tree;
  unwrapped: Tree;
  regressed: Tree;
  /** See `first_guess.ts`. */
  guesses: Tree;
}

/** What is known of the heads that views were made of. */
export interface KnownHeads {
  /** See `known_texels.ts`; without it all photographs are true. */
  known?: Tree | undefined;
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

/**
 * Loads one view of a triplet.
 *
 * @param trees and `head`, what the view is of: `<identity>/<expression>`
 */
export async function loadView(
  key: string,
  { crops, unwrapped, regressed, guesses, known, head }: FaceTrees & KnownHeads & { head: string },
): Promise<TrainingView> {
  const [regression, seen, guess, crop, truth] = await Promise.all([
    readRegression(regressed, key),
    readSeenBytes(unwrapped, key),
    readPixels(guesses, `${key}.png`),
    readPixels(crops, `${key}.png`),
    known && readVisibilityBytes(known, head),
  ]);
  const { vertices, light, albedo } = regression;
  return {
    ...seen,
    guess: guess.data,
    code: conditionCode(regression),
    albedo,
    vertices,
    light,
    photograph: crop.data,
    face: meshSquare(vertices, 1),
    known: truth,
  };
}

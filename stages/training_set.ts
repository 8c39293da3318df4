/**
 * Triplets in memory: everything that a training step needs of a view, small enough that hundreds fit. Colours stay bytes
 * until a step asks for them, and the render operator is built anew each time: 2 ms against a megabyte a view.
 *
 * @module
 */
import { completeTexture } from "../face/fill.ts";
import { albedoOf, type MorphableModel } from "../face/morphable.ts";
import { renderOperator } from "../face/render.ts";
import { shadingMap } from "../face/shading.ts";
import type { Topology } from "../face/topology.ts";
import { conditionCode, type FaceMaps } from "../nets/ftim_input.ts";
import { meshSquare } from "../nets/mesh_square.ts";
import type { Box } from "../nets/resample.ts";
import type { TrainingView } from "../nets/triplet_loss.ts";
import type { Tree } from "../pipeline/mod.ts";
import { readMorphable, readSeen, readTopology } from "./geometry.ts";
import { readImage, toBytes } from "./photograph.ts";
import { readRegression, type Regression } from "./regression.ts";

/** The trees that hold a face's files, joined by key. */
export interface FaceTrees {
  crops: Tree;
  unwrapped: Tree;
  regressed: Tree;
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

/**
 * The first guess: what is seen, else its mirror image, else the template (`face/fill.ts`). The light is taken out before and put back after, as the paper does it, by
 * subtraction of the template's: the mirrored half is lit from its own side. Beside what was seen the mirror image takes on its colours, or every silhouette
 * would show as a line. Without the light the halves hardly differ in colour, so their gains are coarse and near 1: what a shadow does to one half is not carried
 * over the other. The settings are those with the least error of all texels on the training captures, but for two. With less trust in grazing
 * views the texture is better still ([0.5, 0.98]: 0.4 dB), but parts of what the photograph shows give way to the mirror image. And a seam of 8 texels has
 * 0.02 dB more on unseen texels than one of 16, but leaves a line beside noses that turn away; 16 has 0.09 dB more in the view itself.
 */
export function firstGuess(
  { texture, visibility }: { texture: Float32Array; visibility: Float32Array },
  { albedo, template, topology }: { albedo: Float32Array; template: Float32Array; topology: Topology },
): Float32Array {
  const unlit = new Float32Array(texture.length);
  for (let i = 0; i < unlit.length; i++) unlit[i] = texture[i]! - template[i]! + albedo[i]!;
  const complete = completeTexture(unlit, visibility, {
    topology,
    template: albedo,
    feather: 2,
    trust: [0.25, 0.7],
    seam: 16,
    cells: 8,
    gainPrior: 0.1,
  });
  for (let i = 0; i < complete.length; i++) complete[i] = complete[i]! + template[i]! - albedo[i]!;
  return complete;
}

/** Loads what FTIM needs of one face. */
export async function loadFace(
  key: string,
  { unwrapped, regressed }: Omit<FaceTrees, "crops">,
  model: FaceModel,
): Promise<LoadedFace> {
  const regression = await readRegression(regressed, key);
  const seen = await readSeen(unwrapped, key);
  const [texture, visibility] = [toBytes(seen.texture), toBytes(seen.visibility)];
  const { topology, size, morphable } = model;
  const albedo = toBytes(albedoOf(morphable, regression.albedo));
  const shade = () => shadingMap(regression.vertices, { light: regression.light, topology, size });
  const template = shade();
  for (let i = 0; i < template.length; i++) template[i] = template[i]! * albedo[i]! / 255;
  const guess = toBytes(firstGuess(seen, { albedo: toUnit(albedo), template, topology }));
  return {
    regression,
    maps: () => ({
      texture: toUnit(texture),
      visibility: toUnit(visibility),
      shading: shade(),
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

function toUnit(bytes: Uint8ClampedArray): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = bytes[i]! / 255;
  return values;
}

/**
 * A person's photographs instead of a data set: every face in them through the same stages as the test set of
 * `embedded`, with the network and morphable model of an earlier training, and from there to textured face masks.
 */
import { type Artifact, cast, pick } from "@ftim/pipeline";
import { enlargeFaces } from "../stages/methods/enlarge.ts";
import { fuseViews } from "../stages/methods/fuse.ts";
import { makeHeads } from "../stages/methods/head.ts";
import { importPhotographs } from "../stages/data/import.ts";
import { pasteFaces } from "../stages/methods/paste.ts";
import { guessTextures } from "../stages/geometry/first_guess.ts";
import { reconstruct } from "../stages/methods/reconstruct.ts";
import { regress } from "../stages/geometry/regress.ts";
import { seenSkin } from "../stages/geometry/seen_skin.ts";
import { embedFaces } from "../stages/scores/embed.ts";
import { turnUpright } from "../stages/data/upright.ts";
import { unpackTrained } from "../stages/training/trained.ts";
import { asset, assets } from "../stages/data/fetch.ts";
import { detector, findFaces, type PreparedFaces, prepareFaces, regressFaces, seenFaces } from "./faces.ts";
import { faceMesh, type Regressor } from "./regressors.ts";

/** Photographs of more pixels are reduced to so many: several times 150 MB of memory. */
const MOST_PIXELS = 5e7;
/** No photograph has a longer side; `maxSide` of the import stage must be named to be lifted. */
const ANY_SIDE = 1 << 20;
/** The smallest faces that are looked for, in pixels of the photograph, or of what it is reduced to. */
export const SMALLEST_FACE = 40;

/**
 * How wide a band along a mesh's outline counts as not seen, in parts of the face's size. A mesh is off by as much on
 * photographs of people, whose far cheek would have the wall or hair on it; the tables' captures are more even.
 */
const OUTLINE = 0.03;

/** What a training leaves for reconstruction. */
export interface Trained {
  weights: Artifact<"weights">;
  model: Artifact<"model">;
  /** Of the face mesh network's meshes; without it meshes stay as they are. */
  correction?: Artifact<"correction"> | undefined;
  /** The regressor that it was trained with. Default: the face mesh network. */
  regressor?: Regressor;
}

/** A packed training (see `stages/training/trained.ts`): a file, or the artifact that makes it. */
export function unpacked(
  trained: Artifact<"file"> | Artifact<"trained">,
): Trained & { correction: Artifact<"correction"> } {
  const files = unpackTrained({ trained: cast(trained, "trained") });
  return {
    weights: cast(pick(files, ["network.safetensors"]), "weights"),
    model: cast(pick(files, ["model.safetensors"]), "model"),
    correction: cast(pick(files, ["correction.safetensors"]), "correction"),
  };
}

/** Faces of photographs, turned upright, and their meshes, not corrected: all that needs no training. */
export function facesIn(photographs: Artifact<"folder">, { regressor }: Pick<Trained, "regressor"> = {}) {
  const smallest = SMALLEST_FACE;
  const imported = importPhotographs(photographs, {
    identities: "unknown",
    maxSide: ANY_SIDE,
    maxPixels: MOST_PIXELS,
  });
  const images = turnUpright({ images: imported, detector: detector(), mesh: faceMesh() }, { smallest });
  return { imported, ...findFaces(images, { keep: "all", smallest, ...(regressor && { regressor }) }) };
}

/**
 * Faces with corrected meshes and incomplete textures, where what covers them was not seen; `visible`: the same, but
 * only what the mesh turns away was not seen.
 */
export function freeFaces(
  photographs: Artifact<"folder">,
  { model, correction, ...found }: Omit<Trained, "weights">,
) {
  const prepared = prepareFaces(facesIn(photographs, found), { correction, outline: OUTLINE });
  const { crops, meshes, unwrapped, topology } = prepared;
  const shared = { model, topology };
  const regressed = regress({ meshes, unwrapped, ...shared });
  return { ...prepared, visible: unwrapped, unwrapped: seenSkin({ crops, unwrapped, regressed, ...shared }) };
}

/** How to reconstruct. */
export interface PhotographOptions {
  /** Side of the textures in texels. Default 1024. */
  readonly size?: number;
}

/**
 * The reconstruction of photographs as lazy artifacts.
 *
 * @returns `heads`: `<photograph>/<face>/…` (see `stages/methods/head.ts`); `pasted`: `<photograph>.png`; beside them
 *   what they are made of
 */
export function photograph(photographs: Artifact<"folder">, trained: Trained, options: PhotographOptions = {}) {
  const { weights, model } = trained;
  const faces = freeFaces(photographs, trained);
  const regression = regressFaces(faces, { model });
  const { unwrapped, regressed } = regression;
  const small = reconstruct({ ...seenFaces(regression), weights, model });
  return { ...faces, regressed, small, ...finished({ ...faces, regressed, shown: unwrapped, small, model }, options) };
}

/**
 * The reconstruction of one person from several photographs, each of which shows that face alone.
 *
 * @returns `heads` and `pasted` as of `photograph`, of the most frontal photograph alone; `fused`: which views the
 *   texture is made of (see `stages/methods/fuse.ts`)
 */
export function person(photographs: Artifact<"folder">, trained: Trained, options: PhotographOptions = {}) {
  const { weights, model } = trained;
  const faces = freeFaces(photographs, trained);
  const shared = { model, topology: faces.topology };
  const { crops, unwrapped, regressed } = regressFaces(faces, { model });
  const fused = fuseViews({ crops, unwrapped, regressed, ...shared });
  const guesses = guessTextures({ unwrapped: fused, regressed, ...shared });
  const small = reconstruct({ crops, unwrapped: fused, regressed, guesses, weights, ...shared });
  return {
    ...faces,
    regressed,
    fused,
    ...finished({ ...faces, regressed, shown: fused, fused, small, model }, options),
  };
}

/** What the recognition networks make of each face of `freeFaces`. */
export function recognised(
  { crops, unwrapped, meshes, topology }: Pick<PreparedFaces, "crops" | "unwrapped" | "meshes" | "topology">,
) {
  const networks = { recognition: assets("models/faceres."), features: asset("models/fr_feature.onnx") };
  return embedFaces({ crops, unwrapped, meshes, topology, ...networks });
}

/** What a face is finished from. */
interface Unfinished extends Omit<PreparedFaces, "detections" | "meshes" | "poses" | "angles"> {
  readonly regressed: Artifact<"regressed">;
  /** What the mesh turns to the camera, covered or not. */
  readonly visible: Artifact<"unwrapped">;
  /** What is said to have been seen. */
  readonly shown: Artifact<"unwrapped">;
  readonly fused?: Artifact<"unwrapped">;
  /** Reconstructions at the network's size. */
  readonly small: Artifact<"reconstructions">;
  readonly model: Artifact<"model">;
}

/** Reconstructions at full size, and what a person takes away of them. */
function finished(
  { images, crops, unwrapped, visible, regressed, shown, fused, small, model, topology }: Unfinished,
  { size = 1024 }: PhotographOptions,
) {
  const inputs = { images, crops, unwrapped, regressed, topology };
  const views = fused === undefined ? {} : { fused };
  const reconstructions = enlargeFaces({ ...inputs, reconstructions: small, ...views }, { size });
  return {
    heads: makeHeads({ crops, unwrapped: shown, regressed, reconstructions, model, topology }),
    // Hair and glasses stay where the photograph shows them: to draw guessed skin over them would only spoil it.
    pasted: pasteFaces({ ...inputs, unwrapped: visible, reconstructions: small }),
  };
}

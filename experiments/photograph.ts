/**
 * A person's photographs instead of a data set: every face in them through the same stages as the test set of
 * `embedded`, with the network and morphable model of an earlier training, and from there to textured face masks.
 */
import { type Artifact, cast, pick } from "@ftim/pipeline";
import { makeHeads } from "../stages/methods/head.ts";
import { importPhotographs } from "../stages/data/import.ts";
import { pasteFaces } from "../stages/methods/paste.ts";
import { reconstruct } from "../stages/methods/reconstruct.ts";
import { regress } from "../stages/geometry/regress.ts";
import { seenSkin } from "../stages/geometry/seen_skin.ts";
import { turnUpright } from "../stages/data/upright.ts";
import { unpackTrained } from "../stages/training/trained.ts";
import { detector, faceMesh, findFaces, prepareFaces, regressFaces, topology } from "./faces.ts";

/** Photographs of more pixels are reduced to so many: several times 150 MB of memory. */
const MOST_PIXELS = 5e7;
/** No photograph has a longer side; `maxSide` of the import stage must be named to be lifted. */
const ANY_SIDE = 1 << 20;
/** The smallest faces that are looked for, in pixels of the photograph, or of what it is reduced to. */
export const SMALLEST_FACE = 30;

/** What a training leaves for reconstruction. */
export interface Trained {
  weights: Artifact<"weights">;
  model: Artifact<"model">;
  correction: Artifact<"correction">;
}

/** A packed training (see `stages/trained.ts`): a file, or the artifact that makes it. */
export function unpacked(trained: Artifact<"file"> | Artifact<"trained">): Trained {
  const files = unpackTrained({ trained: cast(trained, "trained") });
  return {
    weights: cast(pick(files, ["network.safetensors"]), "weights"),
    model: cast(pick(files, ["model.safetensors"]), "model"),
    correction: cast(pick(files, ["correction.safetensors"]), "correction"),
  };
}

/** Faces of photographs, turned upright, and their meshes, not corrected: all that needs no training. */
export function facesIn(photographs: Artifact<"folder">) {
  const smallest = SMALLEST_FACE;
  const imported = importPhotographs(photographs, {
    identities: "unknown",
    maxSide: ANY_SIDE,
    maxPixels: MOST_PIXELS,
  });
  const images = turnUpright({ images: imported, detector: detector(), mesh: faceMesh() }, { smallest });
  return { imported, ...findFaces(images, { keep: "all", smallest }) };
}

/**
 * The reconstruction of photographs as lazy artifacts.
 *
 * @returns `heads`: `<photograph>/<face>/…` (see `stages/head.ts`); `pasted`: `<photograph>.png`; beside them what they
 *   are made of
 */
export function photograph(photographs: Artifact<"folder">, trained: Trained) {
  const { weights, model, correction } = trained;
  const shared = { model, topology: topology() };
  const prepared = prepareFaces(facesIn(photographs), { correction });
  const { meshes } = prepared;
  // Of a data set the photographs that show no free face are taken out; a person's photographs are as they are.
  const seen = {
    crops: prepared.crops,
    unwrapped: prepared.unwrapped,
    regressed: regress({ meshes, unwrapped: prepared.unwrapped, ...shared }),
  };
  const faces = { ...prepared, unwrapped: seenSkin({ ...seen, ...shared }) };
  const { crops, unwrapped, regressed, guesses } = regressFaces(faces, { model });
  const reconstructions = reconstruct({ crops, unwrapped, regressed, guesses, weights, ...shared });
  return {
    ...faces,
    regressed,
    heads: makeHeads({ crops, unwrapped, regressed, reconstructions, ...shared }),
    pasted: pasteFaces({ images: faces.images, crops, regressed, reconstructions, topology: topology() }),
  };
}

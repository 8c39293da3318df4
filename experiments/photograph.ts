/**
 * One photograph instead of a data set: every face in it through the same stages as the test set of `embedded`, with the network and
 * morphable model of an earlier training, and from there to textured heads.
 *
 * @module
 */
import { type Artifact, cast, pick, sourceFile } from "../pipeline/mod.ts";
import { alignFaces } from "../stages/align.ts";
import { detectFaces } from "../stages/detect.ts";
import { asset, assets } from "../stages/fetch.ts";
import { makeHeads } from "../stages/head.ts";
import { importPhotographs } from "../stages/import.ts";
import { meshFaces } from "../stages/mesh.ts";
import { pasteFaces } from "../stages/paste.ts";
import { reconstruct } from "../stages/reconstruct.ts";
import { regress } from "../stages/regress.ts";
import { unpackTrained } from "../stages/trained.ts";
import { unwrapTextures } from "../stages/unwrap.ts";

/** What a training leaves for reconstruction. */
export interface Trained {
  weights: Artifact<"weights">;
  model: Artifact<"model">;
}

/** A packed training (see `stages/trained.ts`): a file, or the artifact that makes it. */
export function unpacked(trained: Artifact<"file"> | Artifact<"trained">): Trained {
  const files = unpackTrained({ trained: cast(trained, "trained") });
  return {
    weights: cast(pick(files, ["network.safetensors"]), "weights"),
    model: cast(pick(files, ["model.safetensors"]), "model"),
  };
}

/** Faces of one photograph and their meshes: all that needs no training. */
export function findFaces(path: string) {
  const images = importPhotographs(sourceFile(path), { identities: "unknown" });
  const detections = detectFaces({ images, network: asset("models/fr_detect.onnx") }, { keep: "all" });
  const crops = alignFaces({ images, detections });
  const meshes = meshFaces({ crops, network: assets("models/facemesh.") });
  return { images, detections, crops, meshes };
}

/**
 * A photograph's reconstruction as lazy artifacts.
 *
 * @returns `heads`: `<photograph>/<face>/…` (see `stages/head.ts`); `pasted`: `<photograph>.png`; beside them what they are made of
 */
export function photograph(path: string, trained: Trained) {
  const found = findFaces(path);
  const { images, crops, meshes } = found;
  const { weights, model } = trained;
  const topology = asset("models/facemeshcoords.ts");
  const unwrapped = unwrapTextures({ crops, meshes, topology });
  const regressed = regress({ meshes, unwrapped, model, topology });
  const reconstructions = reconstruct({ crops, unwrapped, regressed, weights, model, topology });
  return {
    ...found,
    regressed,
    heads: makeHeads({ crops, unwrapped, regressed, reconstructions, model, topology }),
    pasted: pasteFaces({ images, crops, regressed, reconstructions, topology }),
  };
}

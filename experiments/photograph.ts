/**
 * One photograph instead of a data set: every face in it through the same stages as the test set of `embedded`, with the network and
 * morphable model of an earlier training, and from there to textured heads.
 *
 * @module
 */
import { type Artifact, cast, pick, sourceFile } from "../pipeline/mod.ts";
import { alignFaces } from "../stages/align.ts";
import { detectFaces } from "../stages/detect.ts";
import { correctMeshes } from "../stages/correct_mesh.ts";
import { poseCrops } from "../stages/crop_pose.ts";
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

/** Faces of one photograph and their meshes, not corrected: all that needs no training. */
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
  const { images, crops } = found;
  const { weights, model, correction } = trained;
  const angles = poseCrops({ crops, network: asset("models/fr_pose.onnx") });
  const meshes = correctMeshes({ meshes: found.meshes, angles, correction });
  const topology = asset("models/facemeshcoords.ts");
  const unwrapped = unwrapTextures({ crops, meshes, topology });
  const regressed = regress({ meshes, unwrapped, model, topology });
  const reconstructions = reconstruct({ crops, unwrapped, regressed, weights, model, topology });
  return {
    ...found,
    meshes,
    regressed,
    heads: makeHeads({ crops, unwrapped, regressed, reconstructions, model, topology }),
    pasted: pasteFaces({ images, crops, regressed, reconstructions, topology }),
  };
}

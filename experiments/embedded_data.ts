/** The data of `embedded`: training captures with known truth, and captures of held-out heads. */
import { type Artifact, cast, pick, sourceFile } from "@ftim/pipeline";
import { calibrate } from "../stages/geometry/calibrate.ts";
import { assets } from "../stages/data/fetch.ts";
import { filterReport } from "../stages/tables/filter_report.ts";
import { fitMorphableModel } from "../stages/geometry/fit_morphable.ts";
import { importPhotographs } from "../stages/data/import.ts";
import { estimatePose } from "../stages/data/pose.ts";
import { knownTexels } from "../stages/scores/known_texels.ts";
import { synthesize } from "../stages/synthetic/synthesize.ts";
import { buildTriplets, type YawBins } from "../stages/data/triplets.ts";
import { unwrapTextures } from "../stages/geometry/unwrap.ts";
import type { TrainingSet } from "./embedded_sets.ts";
import { findFaces, headPose, prepareFaces, regressFaces, STRICT } from "./faces.ts";
import { hasLinearTemplate, LINEAR_ALBEDO } from "./methods.ts";
import { topology } from "./regressors.ts";

/** How triplets are drawn. */
interface TripletSettings {
  /** Yaw ranges in degrees: left, frontal, right. */
  bins: YawBins;
  /** How many are drawn at most. */
  count: number;
}

/** What makes captures harder: shares of them, as `stages/synthetic/synthesize.ts` says. */
export interface Hardships {
  readonly covered?: number;
  readonly sideLit?: number;
}

/**
 * The training data: the morphable model and the comparators', captures with known truth, the mesh correction learned
 * from it, and triplets.
 */
export function trainingData(
  { persons, portraits, sources, sourceYaw, onlyShown = false }: TrainingSet,
  { identities, picked, bins, count, ...hardships }: TripletSettings & Hardships & {
    identities?: number | undefined;
    /** A CSV of triplets that were picked by hand; without it they are drawn. */
    picked?: string | undefined;
  },
) {
  // What is cast from these meshes teaches the correction, so they go without it.
  const people = findFaces(importPhotographs(portraits), { keep: "largest" });
  const { crops, meshes } = people;
  const unwrapped = unwrapTextures({ crops, meshes, topology: topology() }, STRICT);
  const portrayed = { crops, meshes, unwrapped, topology: topology() };
  const fitted = fitMorphableModel(portrayed);
  const linear = {
    linearModel: pick(fitMorphableModel(portrayed, LINEAR_ALBEDO), ["model.safetensors"]),
    linearTemplate: hasLinearTemplate(persons),
  };
  const heads = sources === undefined ? people : findFaces(importPhotographs(sources), { keep: "largest" });
  const synthetic = synthesize({
    images: heads.images,
    crops: heads.crops,
    meshes: heads.meshes,
    model: fitted,
    topology: topology(),
    decoys: assets("decoy/"),
  }, {
    ...(identities === undefined ? {} : { identities }),
    ...(sourceYaw === undefined ? {} : { sourceYaw }),
    ...hardships,
  });
  const model = pick(fitted, ["model.safetensors"]);

  const captures = cast(pick(synthetic, ["captures/"]), "captures");
  const found = findFaces(importPhotographs(captures), { keep: "largest" });
  const correction = calibrate({
    crops: found.crops,
    meshes: found.meshes,
    angles: found.angles,
    truth: cast(pick(synthetic, ["truth.json", "meshes/"]), "truth"),
    model,
    topology: topology(),
  });
  const faces = prepareFaces(found, { correction });
  const { images, detections, poses } = faces;
  const triplets = buildTriplets({ images, poses, ...(picked && { picked: sourceFile(picked) }) }, { bins, count });
  const truth = cast(pick(synthetic, ["truth.json"]), "truth");
  const filter = filterReport({ truth, detections, poses, triplets });
  const known = onlyShown ? { known: knownTexels({ truth: pick(synthetic, ["textures/"]), unwrapped }) } : {};
  return { ...regressFaces(faces, { model }), triplets, poses, ...known, model, ...linear, filter, correction };
}

/**
 * Captures of heads that no training saw, cast from other persons' portraits: for other views and true textures.
 *
 * @param portraits one or more of each person, in a folder of that person's name
 */
export function heldOutCaptures(
  portraits: Artifact<"assets">,
  { correction, bins, count, ...casting }: TripletSettings & Hardships & {
    correction: Artifact<"correction">;
    /** Expressions a head is cast in. */
    expressions: number;
    /** Photographs whose face is turned further, in degrees, give no head. */
    sourceYaw: number;
    seed: number;
  },
) {
  const { images, crops, meshes } = findFaces(importPhotographs(portraits), { keep: "largest" });
  const unwrapped = unwrapTextures({ crops, meshes, topology: topology() }, STRICT);
  const people = fitMorphableModel({ crops, meshes, unwrapped, topology: topology() });
  const synthetic = synthesize({ images, crops, meshes, model: people, topology: topology() }, casting);
  const found = findFaces(importPhotographs(cast(pick(synthetic, ["captures/"]), "captures")), { keep: "largest" });
  const faces = prepareFaces(found, { correction });
  const { images: views, detections } = faces;
  const poses = estimatePose({ images: views, detections, network: headPose() }, { from: "camera" });
  const triplets = buildTriplets({ images: views, poses }, { bins, count });
  const truth = pick(synthetic, ["textures/"]);
  return { ...faces, truth, known: knownTexels({ truth, unwrapped }), triplets };
}

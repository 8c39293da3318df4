/** The steps that all photographs go through alike, whatever data set they are of. */
import { type Artifact, sourceFile } from "@ftim/pipeline";
import { alignFaces } from "../stages/data/align.ts";
import { correctMeshes } from "../stages/geometry/correct_mesh.ts";
import { choosePhotographs } from "../stages/data/chosen_photographs.ts";
import { detectFaces } from "../stages/data/detect.ts";
import { faceAngles } from "../stages/data/face_angles.ts";
import { asset } from "../stages/data/fetch.ts";
import { guessTextures } from "../stages/geometry/first_guess.ts";
import { outlineFaces } from "../stages/data/outline.ts";
import { estimatePose } from "../stages/data/pose.ts";
import { regress } from "../stages/geometry/regress.ts";
import { buildTriplets, type YawBins } from "../stages/data/triplets.ts";
import { unwrapTextures } from "../stages/geometry/unwrap.ts";
import { facemeshRegressor, type Regressor } from "./regressors.ts";

/** The face detector. */
export const detector = () => asset("models/fr_detect.onnx");
/** The pose network. */
export const headPose = () => asset("models/fr_pose.onnx");

/**
 * What counts as seen where albedos are learned from photographs: strictly, for an error there would be in every
 * capture.
 */
export { STRICT } from "../face/unwrap_options.ts";

/** By what the geometry of faces is found. */
interface Finding {
  /** Default: the face mesh network. */
  readonly regressor?: Regressor;
}

/**
 * Photographs → faces, their poses, crops and meshes, as the networks find them. `searched` is what the detector found:
 * it says why a photograph shows no face, `detections` are of those that do.
 *
 * @param options `smallest`: width of the smallest faces that must be found, in pixels; without it those of about 1/20
 *   of the photograph's width
 */
export function findFaces(
  images: Artifact<"images">,
  { regressor = facemeshRegressor(), ...options }: Finding & {
    readonly keep: "largest" | "all";
    readonly smallest?: number;
  },
) {
  const detections = detectFaces({ images, network: detector() }, options);
  const poses = estimatePose({ images, detections, network: headPose() });
  const cut = cutOut({ images, detections }, regressor);
  return { images, searched: detections, ...cut, poses, angles: faceAngles({ poses }), topology: regressor.topology };
}

/** Detected faces → their crops and meshes; `detections` then have the outline that the crop is about, if any. */
function cutOut(
  { images, detections }: { images: Artifact<"images">; detections: Artifact<"detections"> },
  regressor: Regressor,
) {
  const crops = alignFaces({ images, detections });
  if (regressor.crops === "detection") return { detections, crops, meshes: regressor.mesh(crops) };
  const outlined = outlineFaces({ detections, crops, meshes: regressor.mesh(crops) });
  const whole = alignFaces({ images, detections: outlined });
  return { detections: outlined, crops: whole, meshes: regressor.mesh(whole) };
}

/** Found faces. */
export type FoundFaces = ReturnType<typeof findFaces>;

/** How triplets are chosen. */
export interface TripletChoice {
  /** Yaw ranges in degrees: left, frontal, right. Default: the paper's. */
  readonly bins?: YawBins;
  /** How many are drawn at most. Default as in `stages/data/triplets.ts`. */
  readonly count?: number;
  /** A CSV of triplets that were picked by hand; without it they are drawn. */
  readonly picked?: string | undefined;
}

/** As `findFaces`, but only what the chosen triplets show is cut out and meshed. */
export function facesOfTriplets(
  images: Artifact<"images">,
  { picked, regressor = facemeshRegressor(), ...settings }: TripletChoice & Finding,
): FoundFaces & { triplets: Artifact<"triplets"> } {
  const searched = detectFaces({ images, network: detector() }, { keep: "largest" });
  const poses = estimatePose({ images, detections: searched, network: headPose() });
  const triplets = buildTriplets({ images, poses, ...(picked && { picked: sourceFile(picked) }) }, settings);
  const cut = cutOut({ images, detections: choosePhotographs({ detections: searched, triplets }) }, regressor);
  const { topology } = regressor;
  return { images, searched, ...cut, poses, angles: faceAngles({ poses }), topology, triplets };
}

/**
 * Found faces → corrected meshes and incomplete textures: what training and test photographs go through alike.
 *
 * @param options `correction`: of the face mesh network; without it meshes stay as they are. `outline`: how wide a band
 *   along a mesh's outline counts as not seen (see `face/unwrap_options.ts`)
 */
export function prepareFaces(
  found: FoundFaces,
  { correction, ...seen }: { correction?: Artifact<"correction"> | undefined; readonly outline?: number },
) {
  const { crops, angles, topology } = found;
  const meshes = correction === undefined ? found.meshes : correctMeshes({ meshes: found.meshes, angles, correction });
  return { ...found, meshes, unwrapped: unwrapTextures({ crops, meshes, topology }, seen) };
}
/** Found faces with meshes and incomplete textures. */
export type PreparedFaces = ReturnType<typeof prepareFaces>;

/** Prepared faces → coefficients and first guesses: what the methods read. */
export function regressFaces(
  { crops, meshes, unwrapped, topology }: Pick<PreparedFaces, "crops" | "meshes" | "unwrapped" | "topology">,
  { model }: { model: Artifact<"model"> },
) {
  const regressed = regress({ meshes, unwrapped, model, topology });
  const guesses = guessTextures({ unwrapped, regressed, model, topology });
  return { crops, meshes, unwrapped, regressed, guesses, topology };
}
/** What the methods read of faces. */
export type RegressedFaces = ReturnType<typeof regressFaces>;

/** What a stage of FTIM, or of what stands in its place, reads of faces. */
export function seenFaces(
  { crops, unwrapped, regressed, guesses, topology }: Omit<RegressedFaces, "meshes">,
) {
  return { crops, unwrapped, regressed, guesses, topology };
}

/**
 * The error that the mesh network repeats on every face, learned where the truth is known and taken off elsewhere. The
 * network was trained on faces that look at the camera: a turned head comes out turned too little, and flattened.
 *
 * The error is learned in the canonical frame of the morphable model (Procrustes of the mesh to the model's mean), so
 * that place and size do not matter, as a linear function of the mesh's own angles and of how far a network for head
 * pose disagrees with them. Every sample is joined by its mirror twin, so a mirrored face is corrected to the mirrored
 * result.
 *
 * fit_corrections.ts learns it.
 */
import { type Angles, anglesFromRotation, estimatePose, flipYZ, invertPose, type Pose, poseToCrop } from "./pose.ts";
import { mirrorVertices } from "./topology.ts";

/** A face as the networks see it. */
export interface SeenMesh {
  /** Posed vertices, crop pixels (x right, y down, z away) [3·V]. */
  readonly vertices: Float32Array;
  /** What the network for head pose says of it, degrees. */
  readonly angles: Angles;
}

/** A face whose true mesh is known. */
export interface MeshSample extends SeenMesh {
  /** The true posed vertices, crop pixels [3·V]; the origin of their depth is free. */
  readonly truth: Float32Array;
}

/** A learned correction. */
export interface MeshCorrection {
  /** The mean shape that the canonical frame is taken from, model space, mirror-symmetric [3·V]. */
  readonly mean: Float32Array;
  /** Displacement of every vertex for each feature, model space [FEATURES·3·V]. */
  readonly coefficients: Float32Array;
}

/** How a correction is learned. */
export interface FitOptions {
  /** The mean shape, model space, mirror-symmetric [3·V]. */
  mean: Float32Array;
  /** Each vertex's mirror twin. */
  mirror: Uint32Array;
  /** Pull of the coefficients toward 0; a sample counts 1. */
  ridge?: number;
  /** A sample counts less from this many times the median residual on. */
  limit?: number;
}

/** Defaults of {@linkcode FitOptions}. */
export const FIT = { ridge: 3, limit: 2.5 } as const;

/** How many features {@linkcode correctionFeatures} gives. */
export const FEATURES = 16;

/** Turns of robust weighting. */
export const TURNS = 6;
/** The two networks disagree by more only where one of them has failed, degrees of yaw; of pitch and roll. */
const DISAGREEMENT = { yaw: 25, tilt: 15 };

/**
 * What the error is a function of: a cubic in the mesh's yaw, its pitch, and the disagreement of the pose network, all
 * of which may change with yaw. All are of the order of 1.
 *
 * @param mesh angles of the mesh, degrees
 * @param head angles of the pose network, degrees
 */
function correctionFeatures(mesh: Angles, head: Angles): number[] {
  const yaw = mesh.yaw / 60;
  const byYaw = (value: number) => [value, value * yaw, value * yaw * yaw];
  const { yaw: most, tilt } = DISAGREEMENT;
  return [
    ...byYaw(1),
    yaw ** 3,
    ...byYaw(mesh.pitch / 20),
    ...byYaw(clamp(head.yaw - mesh.yaw, most) / 20),
    ...byYaw(clamp(head.pitch - mesh.pitch, tilt) / 10),
    ...byYaw(clamp(wrapped(head.roll - mesh.roll), tilt) / 10),
  ];
}

/** The correction that leaves every mesh as it is, to the bit: where no truth is known. */
export function noCorrection(mean: Float32Array): MeshCorrection {
  return { mean, coefficients: new Float32Array(FEATURES * mean.length) };
}

/**
 * The corrected posed vertices, crop pixels [3·V].
 *
 * @throws {RangeError} if the mesh is not of the correction's size
 */
export function applyCorrection({ mean, coefficients }: MeshCorrection, seen: SeenMesh): Float32Array {
  const { pose, features } = canonical(seen, mean);
  const displacement = displacementAt(coefficients, features);
  const moved = poseToCrop({ ...pose, translation: new Float64Array(3) }, displacement);
  return seen.vertices.map((value, i) => value + moved[i]!);
}

/** The correction as named arrays with shapes, ready for a tensor file. */
export function encodeCorrection(
  { mean, coefficients }: MeshCorrection,
): Record<keyof MeshCorrection, { shape: number[]; data: Float32Array }> {
  const count = mean.length / 3;
  return {
    mean: { shape: [count, 3], data: mean },
    coefficients: { shape: [FEATURES, count, 3], data: coefficients },
  };
}

/**
 * The correction from named arrays.
 *
 * @throws {TypeError} if one is absent or no Float32Array, or they do not fit each other
 */
export function decodeCorrection(
  arrays: Readonly<Record<string, { readonly data: unknown } | undefined>>,
): MeshCorrection {
  const [mean, coefficients] = (["mean", "coefficients"] as const).map((name) => {
    const data = arrays[name]?.data;
    if (!(data instanceof Float32Array)) throw new TypeError(`The mesh correction has no float32 array "${name}"`);
    return data;
  }) as [Float32Array, Float32Array];
  if (coefficients.length !== FEATURES * mean.length) {
    throw new TypeError(
      `The mesh correction has ${coefficients.length} coefficients, not ${FEATURES} for each of ${mean.length} values`,
    );
  }
  return { mean, coefficients };
}

/** How each feature changes when the face is mirrored: yaw and roll change their sign, pitch does not. */
const MIRRORED = correctionFeatures({ yaw: -60, pitch: 20, roll: -10 }, { yaw: -80, pitch: 30, roll: -20 })
  .map(Math.sign);

/** Where the face is, and its features. */
function canonical({ vertices, angles }: SeenMesh, mean: Float32Array): { pose: Pose; features: number[] } {
  if (vertices.length !== mean.length) {
    throw new RangeError(`The correction is for ${mean.length / 3} vertices, the mesh has ${vertices.length / 3}`);
  }
  const pose = estimatePose(mean, { posed: vertices });
  return { pose, features: correctionFeatures(anglesFromRotation(pose.rotation), angles) };
}

/** What a sample says of the usual error. */
export interface MeshErrorRow {
  /** [FEATURES] */
  readonly features: readonly number[];
  /** The error in the canonical frame [3·V]. */
  readonly displacement: Float32Array;
}

/**
 * What a sample and its mirror twin say.
 *
 * @throws {RangeError} if its meshes differ from the mean in size
 */
export function errorsOf(
  sample: MeshSample,
  { mean, mirror }: Pick<FitOptions, "mean" | "mirror">,
): [MeshErrorRow, MeshErrorRow] {
  const { features, displacement } = errorOf(sample, mean);
  return [{ features, displacement }, {
    features: features.map((value, k) => MIRRORED[k]! * value),
    displacement: mirrorVertices(displacement, { mirror }),
  }];
}

/** What samples weigh by their residuals. */
export function robustWeights(residuals: readonly number[], limit: number): number[] {
  const bound = limit * residuals.toSorted((a, b) => a - b)[residuals.length >> 1]!;
  return residuals.map((residual) => residual <= bound ? 1 : (bound / residual) ** 2);
}

/** The features of a face and its error in the canonical frame, with both meshes at one mean depth. */
function errorOf({ vertices, angles, truth }: MeshSample, mean: Float32Array) {
  if (truth.length !== vertices.length) {
    throw new RangeError(`The true mesh has ${truth.length / 3} vertices, the network's ${vertices.length / 3}`);
  }
  const { pose, features } = canonical({ vertices, angles }, mean);
  const error = truth.map((value, i) => value - vertices[i]!);
  const depth = 3 * error.reduce((sum, value, i) => i % 3 === 2 ? sum + value : sum, 0) / error.length;
  const level = error.map((value, i) => i % 3 === 2 ? value - depth : value);
  return { features, displacement: invertPose({ ...pose, translation: new Float64Array(3) }, flipYZ(level)) };
}

/** The displacement of every vertex [3·V] that the coefficients give to a face's features. */
export function displacementAt(coefficients: Float32Array, features: readonly number[]): Float32Array {
  const length = coefficients.length / FEATURES;
  const out = new Float64Array(length);
  features.forEach((feature, k) => {
    for (let i = 0; i < length; i++) out[i] = out[i]! + feature * coefficients[k * length + i]!;
  });
  return Float32Array.from(out);
}

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}

/** An angle in −180..180. */
function wrapped(angle: number): number {
  return angle - 360 * Math.round(angle / 360);
}

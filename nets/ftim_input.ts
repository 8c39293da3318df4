/** From what is known of a face in one photograph to the input of FTIM. */
import type * as tfjs from "@tensorflow/tfjs";
import { type Bytes, byteValues } from "@ftim/gpu/ops/byte-values";
import type { Tfjs } from "@ftim/gpu/backend";

/** A batch of inputs, NHWC; colours in 0..1, S the side of the UV map. */
export interface FtimInput {
  /** Incomplete texture [B,S,S,3], zero where nothing was seen. */
  incomplete: tfjs.Tensor4D;
  /** Visibility [B,S,S,1] in 0..1. */
  visibility: tfjs.Tensor4D;
  /** First guess of the complete texture [B,S,S,3]. */
  guess: tfjs.Tensor4D;
  /** Template albedo [B,S,S,3]. */
  templateAlbedo: tfjs.Tensor4D;
  /** Template albedo times shading [B,S,S,3]. */
  templateTexture: tfjs.Tensor4D;
  /** Expression and pose, see {@linkcode conditionCode} [B,codeLength]. */
  code: tfjs.Tensor2D;
}

/** What is stored of one face in UV space, S×S texels; shares and colours are bytes. */
export interface FaceMaps {
  /** Incomplete texture [S·S·3]. */
  readonly texture: Bytes;
  /** Visibility [S·S]. */
  readonly visibility: Bytes;
  /** The texture completed by symmetry and the template (stage `guess`) [S·S·3]. */
  readonly guess: Bytes;
  /** Expression and pose, see {@linkcode conditionCode}. */
  readonly code: Float32Array;
}

/** The templates of a batch of faces. */
export interface Templates {
  /** [B,S,S,3], 0..1 */
  readonly albedo: tfjs.Tensor4D;
  /** Shading by the fitted light [B,S,S,3]. */
  readonly shading: tfjs.Tensor4D;
}

/**
 * Expression coefficients (standard deviations) beside the pose: what the regressor says of it, or else yaw, pitch and
 * roll in units of 90°.
 *
 * @param face `pose`: of FLAME the rotation vectors of head and jaw [6], radians
 * @returns [expression.length + pose.length] or [expression.length + 3]
 */
export function conditionCode({ expression, angles: { yaw, pitch, roll }, pose }: {
  readonly expression: Float32Array;
  readonly angles: { readonly yaw: number; readonly pitch: number; readonly roll: number };
  readonly pose?: Float32Array | undefined;
}): Float32Array {
  return Float32Array.of(...expression, ...(pose ?? [yaw / 90, pitch / 90, roll / 90]));
}

/**
 * A batch of network inputs, and the shading beside it [B,S,S,3].
 *
 * @param faces one or more faces with maps of one size
 * @param templates theirs; the input takes them over
 */
export function ftimInput(
  tf: Tfjs,
  faces: readonly FaceMaps[],
  { albedo, shading }: Templates,
): FtimInput & { shading: tfjs.Tensor4D } {
  const size = Math.sqrt(faces[0]!.visibility.length);
  const stack = (bytes: (face: FaceMaps) => Bytes, channels: number) =>
    byteValues(tf, faces.map(bytes), [faces.length, size, size, channels]) as tfjs.Tensor4D;
  const visibility = stack((face) => face.visibility, 1);
  return {
    incomplete: tf.tidy(() => tf.mul<tfjs.Tensor4D>(stack((face) => face.texture, 3), visibility)),
    visibility,
    guess: stack((face) => face.guess, 3),
    templateAlbedo: albedo,
    templateTexture: tf.mul<tfjs.Tensor4D>(albedo, shading),
    shading,
    code: tf.tidy(() => tf.stack(faces.map(({ code }) => tf.tensor1d(code)))) as tfjs.Tensor2D,
  };
}

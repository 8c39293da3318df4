/** From what is known of a face in one photograph to the input of FTIM. */
import type * as tfjs from "@tensorflow/tfjs";
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
  /** Expression coefficients (in standard deviations) and pose (in units of 90°) [B,codeLength]. */
  code: tfjs.Tensor2D;
}

/** One face in UV space, S×S texels; colours 0..1. */
export interface FaceMaps {
  /** Incomplete texture [S·S·3]. */
  texture: Float32Array;
  /** Visibility [S·S] in 0..1. */
  visibility: Float32Array;
  /** Shading by the fitted light [S·S·3]. */
  shading: Float32Array;
  /** Template albedo [S·S·3]. */
  albedo: Float32Array;
  /** The texture completed by symmetry and the template (`completeTexture`) [S·S·3]. */
  guess: Float32Array;
  /** Expression and pose, see {@linkcode conditionCode}. */
  code: Float32Array;
}

/**
 * Expression coefficients (standard deviations) beside yaw, pitch and roll in units of 90°.
 *
 * @returns [expression.length + 3]
 */
export function conditionCode(
  expression: Float32Array,
  { yaw, pitch, roll }: { yaw: number; pitch: number; roll: number },
): Float32Array {
  return Float32Array.of(...expression, yaw / 90, pitch / 90, roll / 90);
}

/**
 * A batch of network inputs, and the shading beside it [B,S,S,3].
 *
 * @param faces one or more faces with maps of one size
 */
export function ftimInput(tf: Tfjs, faces: readonly FaceMaps[]): FtimInput & { shading: tfjs.Tensor4D } {
  const side = Math.sqrt(faces[0]!.visibility.length);
  const stack = (values: (face: FaceMaps) => Float32Array, channels: number) =>
    stackMaps(tf, faces.map(values), [side, side, channels]);
  return tf.tidy(() => {
    const visibility = stack((face) => face.visibility, 1);
    const shading = stack((face) => face.shading, 3);
    const templateAlbedo = stack((face) => face.albedo, 3);
    return {
      incomplete: tf.mul(stack((face) => face.texture, 3), visibility) as tfjs.Tensor4D,
      visibility,
      guess: stack((face) => face.guess, 3),
      templateAlbedo,
      templateTexture: tf.mul(templateAlbedo, shading) as tfjs.Tensor4D,
      shading,
      code: tf.stack(faces.map(({ code }) => tf.tensor1d(code))) as tfjs.Tensor2D,
    };
  });
}

/** Maps of one shape as a batch, in one upload. */
export function stackMaps(
  tf: Tfjs,
  maps: readonly Float32Array[],
  [height, width, channels]: readonly [number, number, number],
): tfjs.Tensor4D {
  const size = height * width * channels;
  const all = new Float32Array(maps.length * size);
  for (const [i, map] of maps.entries()) all.set(map, i * size);
  return tf.tensor4d(all, [maps.length, height, width, channels]);
}

/** Faces whose pictures are linear in some coefficients, in memory and on the device. */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import type { LinearFaces } from "../../nets/linear_albedo_fit.ts";
import type { Box } from "../../nets/resample_taps.ts";

/** A face in memory; pictures of S×S pixels. */
export interface LinearFace {
  /** [S·S·3] */
  base: Float32Array;
  /** [K][S·S·3] */
  parts: readonly Float32Array[];
  photograph: Float32Array;
  /** [S·S] */
  weight: Float32Array;
  face: Box;
  /** [K] */
  code: Float32Array;
}

/** Puts faces on the device, with so many of them in a tensor of parts. */
export function upload(tf: Tfjs, faces: readonly LinearFace[], most = faces.length): LinearFaces {
  const [count, components] = [faces.length, faces[0]!.code.length];
  const side = Math.sqrt(faces[0]!.weight.length);
  const padded = 4 * Math.ceil(components / 4);
  const stack = (values: (face: LinearFace) => Float32Array) => Float32Array.from(faces.flatMap((f) => [...values(f)]));
  const pictures = (values: (face: LinearFace) => Float32Array) =>
    tf.tensor4d(stack(values), [count, side, side, 3]) as Tensor4D;
  const parts = Array.from({ length: Math.ceil(count / most) }, (_, part) => {
    const some = faces.slice(part * most, (part + 1) * most);
    const values = new Float32Array(some.length * side * side * 3 * padded);
    for (const [i, face] of some.entries()) {
      for (const [k, picture] of face.parts.entries()) {
        for (const [at, value] of picture.entries()) values[(i * picture.length + at) * padded + k] = value;
      }
    }
    return tf.tensor(values, [some.length, side, side, 3, padded]);
  });
  const codes = new Float32Array(count * padded);
  for (const [i, { code }] of faces.entries()) codes.set(code, i * padded);
  return {
    pictures: {
      base: pictures(({ base }) => base),
      parts,
      weight: tf.tensor3d(stack(({ weight }) => weight), [count, side, side]) as Tensor3D,
    },
    photograph: pictures(({ photograph }) => photograph),
    boxes: faces.map(({ face }) => face),
    codes: tf.tensor2d(codes, [count, padded]),
    components,
  };
}

/** Frees faces. */
export function dispose({ pictures: { base, parts, weight }, photograph, codes }: LinearFaces): void {
  for (const tensor of [base, ...parts, weight, photograph, codes]) tensor.dispose();
}

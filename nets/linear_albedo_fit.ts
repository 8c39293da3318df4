/**
 * The last step of Deng et al. 2019 (sicxu/Deep3DFaceRecon_pytorch, `models/losses.py`): coefficients of a linear albedo that agree with the photograph pixel by
 * pixel on skin and, through a recognition network, as a face. Theirs come from a regressor trained with these losses; here they are found for the one
 * photograph by Adam, from the least-squares solution on.
 *
 * With shape and light fixed, the render is linear in the coefficients: image = base + Σ code_k · part_k. So the renderer is not needed inside a step.
 *
 * @module
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "../gpu/tfjs.ts";
import { adam, valueAndGradients } from "./adam.ts";
import { identityLoss } from "./losses.ts";
import { type Box, resizeTensor } from "./resample.ts";

/** A face whose render is linear in its albedo's coefficients; pictures of S×S pixels, RGB in 0..1. */
export interface LinearFace {
  /** The mean albedo's render, the photograph where no mesh is [S·S·3]. */
  base: Float32Array;
  /** What one standard deviation of each component adds [K][S·S·3]. */
  parts: readonly Float32Array[];
  photograph: Float32Array;
  /** Weight of each pixel ≥ 0: 0 outside the face, little where there is no skin [S·S]. */
  weight: Float32Array;
  /** The square that the network looks at. */
  face: Box;
  /** Where to start [K]. */
  code: Float32Array;
}

/** How to fit. */
export interface LinearFitOptions {
  /** Faces [B,side,side,3] → descriptors [B,N]. */
  network: { side: number; describe(faces: tfjs.Tensor4D): tfjs.Tensor2D };
  /** Weight of 1 − cosine. Theirs: 0.2 against a photometric 1.92. */
  perceptual: number;
  photometric: number;
  /** Weight of the mean squared coefficient. */
  prior: number;
  steps: number;
  learningRate: number;
}

/**
 * Fits the coefficients.
 *
 * @returns [K] in standard deviations
 */
export async function fitLinearAlbedo(
  tf: Tfjs,
  face: LinearFace,
  { network, perceptual, photometric, prior, steps, learningRate }: LinearFitOptions,
): Promise<Float32Array> {
  const side = Math.round(Math.sqrt(face.weight.length));
  const count = face.parts.length;
  const length = 3 * side * side;
  const parts = new Float32Array(count * length);
  face.parts.forEach((part, k) => parts.set(part, k * length));
  const shape = [1, side, side, 3] as [number, number, number, number];
  const fixed = {
    base: tf.tensor4d(face.base, shape),
    parts: tf.tensor2d(parts, [count, length]),
    photograph: tf.tensor4d(face.photograph, shape),
    weight: tf.tensor4d(face.weight, [1, side, side, 1]),
  };
  const look = (picture: tfjs.Tensor4D) =>
    network.describe(resizeTensor(tf, picture, { box: face.face, width: network.side, height: network.side }));
  const known = tf.tidy(() => look(fixed.photograph));
  // `tidy` frees the tensor that the variable starts from, and no variable
  const variables = { code: tf.tidy(() => tf.variable(tf.tensor2d(face.code, [1, count])) as tfjs.Variable) };
  const optimiser = adam(tf, variables);
  const total = face.weight.reduce((sum, value) => sum + value, 0) + 1e-6;
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const { gradients } = valueAndGradients(tf, variables, () => {
        const code = variables.code as unknown as tfjs.Tensor2D;
        const picture = tf.add(fixed.base, tf.reshape(tf.matMul(code, fixed.parts), shape)) as tfjs.Tensor4D;
        // Their photometric term is the norm of each pixel's colour difference.
        const error = tf.sqrt(tf.add(tf.sum(tf.square(tf.sub(picture, fixed.photograph)), 3, true), 1e-8));
        const seen = tf.div(tf.sum(tf.mul(error, fixed.weight)), total);
        const terms = [tf.mul(photometric, seen), tf.mul(prior, tf.mean(tf.square(code)))];
        if (perceptual > 0) terms.push(tf.mul(perceptual, identityLoss(tf, look(picture), known)));
        return tf.addN(terms) as tfjs.Scalar;
      });
      optimiser.step(gradients, learningRate);
    });
  }
  const code = await variables.code.data() as Float32Array;
  optimiser.dispose();
  tf.dispose([...Object.values(fixed), known, variables.code]);
  return code;
}

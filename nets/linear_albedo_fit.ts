/**
 * The last step of Deng et al. 2019 (sicxu/Deep3DFaceRecon_pytorch, `models/losses.py`): coefficients of a linear
 * albedo that agree with the photograph pixel by pixel on skin and, through a recognition network, as a face. The
 * authors' come from a regressor trained with these losses. Here Adam finds them for the one photograph, from the
 * least-squares solution on.
 *
 * With shape and light fixed, the render is linear in the coefficients: image = base + Σ code_k · part_k. So the
 * renderer is not needed inside a step.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { adam, valueAndGradients } from "./adam.ts";
import { cosines } from "./losses.ts";
import { resample } from "./resample.ts";
import type { Box } from "./resample_taps.ts";

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
 * Fits the coefficients of some faces. They run as one batch through the network, and each as if it were alone.
 *
 * @returns [K] in standard deviations for each face
 */
export async function fitLinearAlbedos(
  tf: Tfjs,
  faces: readonly LinearFace[],
  { network, perceptual, photometric, prior, steps, learningRate }: LinearFitOptions,
): Promise<Float32Array[]> {
  const open = faces.map((face) => openFace(tf, face));
  const look = (pictures: readonly tfjs.Tensor4D[]) => {
    const size = { width: network.side, height: network.side };
    return network.describe(
      tf.concat(pictures.map((picture, i) => resample(tf, picture, { box: faces[i]!.face, ...size }))),
    );
  };
  const known = tf.tidy(() => look(open.map(({ photograph }) => photograph)));
  const variables = Object.fromEntries(open.map(({ code }, i) => [i, code]));
  const optimiser = adam(tf, variables);
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const { gradients } = valueAndGradients(tf, variables, () => {
        const pictures = open.map((face) => render(tf, face));
        const terms = open.flatMap(({ code, photograph, weight }, i) => {
          // Their photometric term is the norm of each pixel's colour difference.
          const error = tf.sqrt(tf.add(tf.sum(tf.square(tf.sub(pictures[i]!, photograph)), 3, true), 1e-8));
          const seen = tf.div(tf.sum(tf.mul(error, weight)), faces[i]!.weight.reduce((a, b) => a + b, 0) + 1e-6);
          return [tf.mul(photometric, seen), tf.mul(prior, tf.mean(tf.square(code)))];
        });
        // 1 − cosine of each face, summed: a mean would let a face's gradient depend on how many others there are.
        if (perceptual > 0) terms.push(tf.mul(-perceptual, tf.sum(cosines(tf, look(pictures), known))));
        return tf.addN(terms) as tfjs.Scalar;
      });
      optimiser.step(gradients, learningRate);
    });
  }
  const codes = await Promise.all(open.map(({ code }) => code.data())) as Float32Array[];
  optimiser.dispose();
  for (const face of open) tf.dispose(Object.values(face));
  known.dispose();
  return codes;
}

/** A face on the device. */
interface OpenFace {
  base: tfjs.Tensor4D;
  parts: tfjs.Tensor2D;
  photograph: tfjs.Tensor4D;
  weight: tfjs.Tensor4D;
  code: tfjs.Variable;
}

function openFace(tf: Tfjs, { base, parts, photograph, weight, code }: LinearFace): OpenFace {
  const side = Math.round(Math.sqrt(weight.length));
  const length = base.length;
  const flat = new Float32Array(parts.length * length);
  parts.forEach((part, k) => flat.set(part, k * length));
  return {
    base: tf.tensor4d(base, [1, side, side, 3]),
    parts: tf.tensor2d(flat, [parts.length, length]),
    photograph: tf.tensor4d(photograph, [1, side, side, 3]),
    weight: tf.tensor4d(weight, [1, side, side, 1]),
    // `tidy` frees the tensor that the variable starts from, and no variable
    code: tf.tidy(() => tf.variable(tf.tensor2d(code, [1, parts.length])) as tfjs.Variable),
  };
}

function render(tf: Tfjs, { base, parts, code }: OpenFace): tfjs.Tensor4D {
  return tf.add(base, tf.reshape(tf.matMul(code as unknown as tfjs.Tensor2D, parts), base.shape)) as tfjs.Tensor4D;
}

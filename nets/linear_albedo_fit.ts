/**
 * The last step of Deng et al. 2019 (sicxu/Deep3DFaceRecon_pytorch, `models/losses.py`): coefficients of a linear
 * albedo that agree with the photograph pixel by pixel on skin and, through a recognition network, as a face. The
 * authors' come from a regressor trained with these losses. Here Adam finds them for the one photograph, from the
 * least-squares solution on.
 *
 * With shape and light fixed, the render is linear in the coefficients: image = base + Σ code_k · part_k. So the
 * renderer is not needed inside a step, and the gradient of all terms but the network's is one pass over the pixels.
 */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from "@tensorflow/tfjs";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import type { LinearPictures } from "../face/linear_pictures.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { adam } from "./adam.ts";
import { linearGradient, renderLinear } from "./linear_render.ts";
import { cosines } from "./losses.ts";
import { disposeBoxTaps, resampleBoxes, uploadBoxTaps } from "./resample_boxes.ts";
import type { Box } from "./resample_taps.ts";

/** Faces whose renders are linear in their albedos' K coefficients, square pictures of S×S pixels, RGB in 0..1. */
export interface LinearFaces {
  readonly pictures: LinearPictures;
  /** [B, S, S, 3] */
  readonly photograph: Tensor4D;
  /** The square of each picture that the network looks at. */
  readonly boxes: readonly Box[];
  /** Where to start: K coefficients in standard deviations, filled up with zeros to a multiple of four [B, 4·Q]. */
  readonly codes: Tensor;
  /** K */
  readonly components: number;
}

/** How to fit. */
export interface LinearFitOptions {
  /** Faces [B,side,side,3] → descriptors [B,N]. */
  network: { side: number; describe(faces: Tensor4D): Tensor2D };
  /** Weight of 1 − cosine. Theirs: 0.2 against a photometric 1.92. */
  perceptual: number;
  /** Weight of the mean over skin of the norm of a pixel's colour difference. */
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
 * @throws {GpuError} if the device reports an error
 */
export async function fitLinearAlbedos(
  tf: Tfjs,
  faces: LinearFaces,
  { network, steps, learningRate, ...weights }: LinearFitOptions,
): Promise<Float32Array[]> {
  const { photograph, boxes, pictures: { weight }, components } = faces;
  const [, height, width] = photograph.shape;
  const [batch = 0, padded = 0] = faces.codes.shape;
  const { side } = network;
  const taps = uploadBoxTaps(tf, boxes, { from: { width, height }, to: { width: side, height: side } });
  const look = (picture: Tensor4D) => network.describe(resampleBoxes(tf, picture, taps));
  const [known, total] = tf.tidy(() => [look(photograph), tf.sum<Tensor1D>(weight, [1, 2])] as const);
  // `tidy` frees the tensor that the variable starts from, and no variable
  const codes: Variable = tf.tidy(() => tf.variable(tf.add(faces.codes, 0)));
  const optimiser = adam(tf, { codes });
  try {
    for (let step = 0; step < steps; step++) {
      tf.tidy(() => {
        const gradient = gradientOf(tf, { ...faces, ...weights, codes, look, known, total });
        optimiser.step({ codes: gradient }, learningRate);
      });
      // The device begins while the next step is recorded.
      submitRecorded(webgpuBackend(tf));
    }
    const [values] = await readBack([tf.add(codes, 0)], "fitLinearAlbedos");
    return Array.from({ length: batch }, (_, face) => values!.slice(face * padded, face * padded + components));
  } finally {
    optimiser.dispose();
    tf.dispose([codes, known, total]);
    disposeBoxTaps(taps);
  }
}

/** What the gradient of a step is made of. */
interface Step extends LinearFaces, Pick<LinearFitOptions, "perceptual" | "photometric" | "prior"> {
  look(pictures: Tensor4D): Tensor2D;
  /** What the network sees in the photographs [B, N]. */
  readonly known: Tensor2D;
  /** Sum of each face's weights [B]. */
  readonly total: Tensor1D;
}

/** The gradient of all terms at some codes [B, 4·Q]. */
function gradientOf(
  tf: Tfjs,
  { pictures, photograph, codes, components, look, known, total, perceptual, photometric, prior }: Step,
): Tensor {
  const picture = renderLinear(tf, pictures, codes);
  // 1 − cosine of each face, summed: a mean would let a face's gradient depend on how many others there are.
  const term = (picture: Tensor) => tf.mul(-perceptual, tf.sum(cosines(tf, look(picture as Tensor4D), known)));
  const slope = perceptual > 0 ? { slope: tf.grad(term)(picture) } : {};
  const seen = linearGradient(tf, pictures, { picture, photograph, total, photometric, ...slope });
  return tf.add(seen, tf.mul(2 * prior / components, codes));
}

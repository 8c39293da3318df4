/**
 * The losses of the paper's section 3.3, each a scalar ≥ 0 on the device, and their weighted sum.
 * All are means, not sums, so that a weight means the same at every map size.
 *
 * The extraction of the paper keeps five weights for six terms (1.0, 0.2, 0.2, 0.02, 0.01). They are assigned in the order
 * in which the text names the terms; the regularisation's weight is ours. It is a mean over the few texels that no view of a triplet shows, so a texel
 * counts for much: with a weight of 0.1 it held the network at its first guess, more or less by the seed (results/README.md, "What the training adds").
 *
 * @module
 */
import type * as tfjs from "@tensorflow/tfjs";
import { meanDeviation, weightedL1 } from "@ftim/gpu/ops/weighted-l1";
import type { Tfjs } from "@ftim/gpu/backend";

/** Weight of each term in the sum. */
export interface LossWeights {
  photometric: number;
  albedo: number;
  identity: number;
  mrf: number;
  symmetry: number;
  regularisation: number;
}

/** The paper's weights, in the order of its text; `regularisation` is not printed there. */
export const PAPER_WEIGHTS: LossWeights = {
  photometric: 1.0,
  albedo: 0.2,
  identity: 0.2,
  mrf: 0.02,
  symmetry: 0.01,
  regularisation: 0.02,
};

/** Identity loss: mean of 1 − cosine over a batch of embeddings [B,N]. */
export function identityLoss(tf: Tfjs, a: tfjs.Tensor2D, b: tfjs.Tensor2D): tfjs.Scalar {
  return tf.sub(1, tf.mean(cosines(tf, a, b))) as tfjs.Scalar;
}

/** Cosine of each pair of embeddings [B,N] → [B]. */
export function cosines(tf: Tfjs, a: tfjs.Tensor2D, b: tfjs.Tensor2D): tfjs.Tensor1D {
  const norm = (x: tfjs.Tensor2D) => tf.sqrt(tf.add(tf.sum(tf.square(x), 1), 1e-12));
  return tf.div(tf.sum(tf.mul(a, b), 1), tf.mul(norm(a), norm(b)));
}

/**
 * UV albedo loss: the albedos of one triplet are of one person, so each is drawn to the mean of the three.
 *
 * @param albedos [3,S,S,3]
 * @param chart [S,S,1], 1 inside the face's UV chart
 */
export function albedoLoss(tf: Tfjs, albedos: tfjs.Tensor4D, chart: tfjs.Tensor3D): tfjs.Scalar {
  return meanDeviation(tf, albedos, { weight: chart });
}

/**
 * Symmetry loss (paper, equation 2; DECA's trainer, `decalib/trainer.py`): texels that were not seen are drawn to their
 * mirror image, whose gradient is stopped so that the seen side is not drawn to the unseen one.
 */
export function symmetryLoss(
  tf: Tfjs,
  { albedo, flipped, unseen }: Record<"albedo" | "flipped" | "unseen", tfjs.Tensor>,
): tfjs.Scalar {
  return weightedL1(tf, albedo, { b: flipped, weight: unseen });
}

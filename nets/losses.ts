/**
 * The losses of the paper's section 3.3, each a scalar ≥ 0 on the device, and their weighted sum. All are means, not
 * sums, so that a weight means the same at every map size.
 *
 * The text of the paper that could be had keeps five weights for six terms (1.0, 0.2, 0.2, 0.02, 0.01). They are
 * assigned in the order in which it names the terms. The regularisation's weight is ours: the term is a mean over the
 * few texels that no view of a triplet shows, so each counts for much, and a weight of 0.1 holds the network at its
 * first guess. docs/departures.md lists what differs from the paper.
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

/** Five weights that the paper prints, in the order of its text; `regularisation` is ours. */
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

/** The texels that the symmetry loss looks at: those that were seen, as the paper prints, or those that were not. */
export type SymmetryMask = "seen" | "unseen";

/**
 * Symmetry loss (after the paper's equation 2): albedos are drawn to their mirror images within a mask.
 *
 * `seen` is the printed form: M_uv "denotes the visible face region in UV space", and gradients flow through albedo and
 * mirror image alike. So a texel that was not seen is drawn to the seen one across the face, which serves the stated
 * purpose, and the seen one is drawn to it.
 *
 * `unseen` is the form of DECA's trainer (`decalib/trainer.py`): texels that were not seen are drawn to their mirror
 * image, whose gradient is stopped, so that the seen side stays where it is.
 *
 * @param albedo [B,S,S,3]
 * @param options.visibility [B,S,S,1] in 0..1; `chart` [S,S,1], 1 inside the face's UV chart
 */
export function symmetryLoss(
  tf: Tfjs,
  albedo: tfjs.Tensor4D,
  { visibility, chart, mask }: { visibility: tfjs.Tensor4D; chart: tfjs.Tensor3D; mask: SymmetryMask },
): tfjs.Scalar {
  const mirrored = tf.reverse(albedo, 2);
  if (mask === "unseen") {
    return weightedL1(tf, albedo, { b: mirrored, weight: tf.mul(tf.sub(1, visibility), chart) });
  }
  const difference = tf.sub(albedo, mirrored);
  return weightedL1(tf, difference, { b: tf.zerosLike(difference), weight: tf.mul(visibility, chart) });
}

/**
 * Implicit diversified Markov random field loss (paper, equation 1; Wang et al. 2018, "Image inpainting via generative multi-column
 * convolutional neural networks", section 3.2.2): every feature of the photograph should be the nearest one of some generated feature,
 * wherever it lies. That keeps detail, which a distance of pixels would blur.
 *
 * @module
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "../gpu/tfjs.ts";
import { bestMatches } from "./best_matches.ts";
import { directions } from "./directions.ts";

/** Options of a layer's loss. */
export interface IdMrfOptions {
  /** [B,h,w,1], 1 at positions that take part, 0 elsewhere; all of them by default. */
  inside?: tfjs.Tensor4D;
  /** Rows of the N×N matrix held at once; by default as many as fit into 8 MiB. */
  rows?: number;
}

/** A layer of the perceptual network. */
export interface IdMrfFeatures {
  /** [B,h,w,C] */
  generated: tfjs.Tensor4D;
  /** [B,h,w,C] */
  target: tfjs.Tensor4D;
}

/** A layer with its part in the sum. */
export interface IdMrfLayer extends IdMrfFeatures, IdMrfOptions {
  weight: number;
}

/**
 * Loss of one layer, the mean over the batch, between 0 and the logarithm of the number of positions. 0 means that every target has a
 * match of its own, so it stays above 0 for equal images whose features repeat.
 *
 * The mean that is taken off before cosines are compared is that of each channel over the positions of the target, as in the authors' own
 * (TensorFlow) code: what all positions share says nothing about which belongs to which, and the loss then depends on features only, not on
 * where they lie. The PyTorch port and DECA take each position's mean over channels.
 *
 * Differentiable in the generated features only.
 *
 * @param features both [B,h,w,C]
 * @throws {RangeError} if the two differ in shape
 */
export function idMrfLayer(
  tf: Tfjs,
  { generated, target }: IdMrfFeatures,
  { inside, rows }: IdMrfOptions = {},
): tfjs.Scalar {
  const [batch, height, width, channels] = generated.shape;
  const positions = height * width;
  if (`${target.shape}` !== `${generated.shape}`) {
    throw new RangeError(`Cannot compare features [${generated.shape}] with [${target.shape}]`);
  }
  const flat = (x: tfjs.Tensor) => tf.reshape(x, [batch, positions, -1]) as tfjs.Tensor3D;
  const fixed = flat(target);
  const counted = inside === undefined ? tf.ones([batch, positions]) : tf.reshape(inside, [batch, positions]);
  const counts = tf.sum(counted, 1, true);
  const share = tf.reshape(tf.div(counted, tf.maximum(counts, 1)), [batch, 1, positions]);
  const mean = tf.matMul(share as tfjs.Tensor3D, fixed);
  const [g, t] = [directions(tf, flat(generated), mean), directions(tf, fixed, mean)];
  const one = <T extends tfjs.Tensor>(x: tfjs.Tensor, sample: number, shape: number[]) =>
    tf.reshape(tf.slice(x, [sample], [1]), shape) as T;
  const best = tf.stack(
    Array.from({ length: batch }, (_, sample) =>
      bestMatches(tf, one(g, sample, [positions, channels]), {
        target: one(t, sample, [positions, channels]),
        inside: one(counted, sample, [positions]),
        ...(rows === undefined ? {} : { rows }),
      })),
  );
  // An image no position of which takes part has nothing to find: its mean counts as 1.
  const found = tf.add(
    tf.sum(tf.mul(tf.reshape(share, [batch, positions]), tf.exp(best)), 1),
    tf.equal(tf.reshape(counts, [batch]), 0),
  );
  return tf.neg(tf.mean(tf.log(found))) as tfjs.Scalar;
}

/** Σ weight · loss over layers. The paper: 1 for the finer and 2 for the coarser of two layers. */
export function idMrf(tf: Tfjs, layers: readonly IdMrfLayer[]): tfjs.Scalar {
  return tf.addN(layers.map((layer) => tf.mul(layer.weight, idMrfLayer(tf, layer, layer)))) as tfjs.Scalar;
}

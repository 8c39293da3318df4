/**
 * Implicit diversified Markov random field loss (paper, equation 1; Wang et al. 2018, "Image inpainting via generative
 * multi-column convolutional neural networks", section 3.2.2): every feature of the photograph should be the nearest
 * one of some generated feature, wherever it lies. That keeps detail, which a distance of pixels would blur.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { selectRows } from "@ftim/gpu/ops/select-rows";
import type { Tfjs } from "@ftim/gpu/backend";
import { bestMatches } from "./best_matches.ts";
import { directions } from "./directions.ts";

/** Options of a layer's loss. */
export interface IdMrfOptions {
  /** [B·h·w], whether a position takes part; all of them do by default. */
  inside?: readonly boolean[];
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
 * Loss of one layer, the mean over the batch, between 0 and the logarithm of the number of positions. 0 means that
 * every target has a match of its own, so it stays above 0 for equal images whose features repeat.
 *
 * The mean that is taken off before cosines are compared is that of each channel over the positions of the target, as
 * in the authors' own (TensorFlow) code: what all positions share says nothing about which belongs to which, and the
 * loss then depends on features only, not on where they lie. The PyTorch port and DECA take each position's mean over
 * channels.
 *
 * Differentiable in the generated features only.
 *
 * @param features both [B,h,w,C]
 * @throws {RangeError} if the two differ in shape, or `inside` is of another size
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
  if (inside !== undefined && inside.length !== batch * positions) {
    throw new RangeError(`Cannot tell which of ${batch * positions} positions take part by ${inside.length} values`);
  }
  // What is outside is left out before the matrix of cosines is made, which grows with the square of their number.
  const flat = (x: tfjs.Tensor4D) => tf.reshape(x, [batch * positions, channels]) as tfjs.Tensor2D;
  const [from, to] = [flat(generated), flat(target)];
  const found = Array.from({ length: batch }, (_, image) => {
    const { indices, count } = placesOf(inside, { first: image * positions, positions });
    const taking = tf.tensor1d(Float32Array.from(indices, (index) => index < 0 ? 0 : 1));
    const share = tf.div(taking, Math.max(1, count));
    const chosen = (x: tfjs.Tensor2D) => tf.reshape(selectRows(tf, x, indices), [1, -1, channels]) as tfjs.Tensor3D;
    const sought = chosen(to);
    const mean = tf.matMul(tf.reshape(share, [1, 1, -1]) as tfjs.Tensor3D, sought);
    const compared = (x: tfjs.Tensor3D) => tf.reshape(directions(tf, x, mean), [-1, channels]) as tfjs.Tensor2D;
    const best = bestMatches(tf, compared(chosen(from)), {
      target: compared(sought),
      inside: taking,
      ...(rows === undefined ? {} : { rows }),
    });
    // An image no position of which takes part has nothing to find: its mean counts as 1.
    return tf.add(tf.sum(tf.mul(share, tf.exp(best))), count === 0 ? 1 : 0);
  });
  return tf.neg(tf.mean(tf.log(tf.stack(found)))) as tfjs.Scalar;
}

/** Positions come in whole blocks of so many, because tfjs keeps a buffer of every size that it was ever asked for. */
const BLOCK = 64;

/** The positions of one image that take part, as rows of the batch, filled up with −1. */
function placesOf(
  inside: readonly boolean[] | undefined,
  { first, positions }: { first: number; positions: number },
): { indices: Int32Array; count: number } {
  const taking: number[] = [];
  for (let i = first; i < first + positions; i++) if (inside?.[i] ?? true) taking.push(i);
  const indices = new Int32Array(BLOCK * Math.max(1, Math.ceil(taking.length / BLOCK))).fill(-1);
  indices.set(taking);
  return { indices, count: taking.length };
}

/** Σ weight · loss over layers. The paper: 1 for the finer and 2 for the coarser of two layers. */
export function idMrf(tf: Tfjs, layers: readonly IdMrfLayer[]): tfjs.Scalar {
  return tf.addN(layers.map((layer) => tf.mul(layer.weight, idMrfLayer(tf, layer, layer)))) as tfjs.Scalar;
}

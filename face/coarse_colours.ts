/**
 * A texture with the true colours of what was not seen, but without their detail: the mean error of a guess within a
 * window about each texel is taken off.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { boxMean } from "@ftim/gpu/ops/box-mean";

/** Maps of faces, S×S texels. */
export interface GuessedMaps {
  /** Complete textures, 0..1 [B,S,S,3]. */
  readonly guess: Tensor4D;
  /** The true ones, 0..1 [B,S,S,3]. */
  readonly truth: Tensor4D;
  /** 0..1 [B,S,S,1]: by how much a texel may change. */
  readonly unseen: Tensor4D;
  /** 0..1 [B,S,S,1]: how well the truth of a texel is known; the mean is of the known unseen texels alone. */
  readonly known: Tensor4D;
}

/** Below so small a share of a window that is known, nothing is known of it: a texel of the largest window. */
const LEAST = 1e-5;

/**
 * Corrects each guess.
 *
 * @param options.radius of the window, 2·radius + 1 texels wide
 * @returns [B,S,S,3]: the guess, plus (truth − guess) averaged over the window where a texel was not seen
 */
export function coarseColours(
  tf: Tfjs,
  { guess, truth, unseen, known }: GuessedMaps,
  { radius }: { radius: number },
): Tensor4D {
  return tf.tidy(() => {
    const [count, size] = guess.shape;
    const weight = tf.mul<Tensor4D>(unseen, known);
    // Errors are −1..1 and the means take 0..1. Both steps are undone below.
    const shifted = tf.mul(tf.div(tf.add(tf.sub(truth, guess), 1), 2), weight);
    const maps = tf.transpose(tf.concat([shifted, weight], 3), [0, 3, 1, 2]);
    const means = boxMean(tf, tf.reshape(maps, [4 * count, size, size]) as Tensor3D, { radius });
    const packed = tf.transpose(tf.reshape(means, [count, 4, size, size]), [0, 2, 3, 1]);
    const [colours, share] = tf.split(packed, [3, 1], 3) as [Tensor4D, Tensor4D];
    const error = tf.div(tf.sub(tf.mul(2, colours), share), tf.maximum(share, LEAST));
    return tf.add<Tensor4D>(guess, tf.mul(error, unseen));
  });
}

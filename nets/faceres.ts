/**
 * Identity of a face as 1024 numbers: the pooled features of a MobileNet trained on faces (Savchenko 2019, "Efficient
 * facial representations for age, gender and identity recognition", HSE_FaceRec), `models/faceres.{json,bin}` of
 * @vladmandic/human.
 *
 * The package feeds RGB in 0..255. The network was trained on BGR less ImageNet's mean colour, and that tells people
 * apart better (50 faces: d′ 8.4 instead of 6.6), so it is what `embed` feeds. Differentiable.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openConvolutionChain } from "./convolution_chain.ts";
import type { GraphModelFiles } from "./graph_model.ts";
import { resample } from "./resample.ts";

/** An open network. */
export interface FaceRes {
  /**
   * Descriptors; differentiable. All are ≥ 0 (they come after a ReLU).
   *
   * @param x `[B, S, S, 3]`, 0..1, square, RGB
   * @returns `[B, 1024]`
   */
  embed(x: tfjs.Tensor4D): tfjs.Tensor2D;
  dispose(): void;
}

/** Width and height of the network's input. */
export const FACERES_SIZE = 224;

/** Mean blue, green and red, 0..255. */
const MEAN = [103.939, 116.779, 123.68];
const DESCRIPTOR = "global_pooling/Mean";

/**
 * Opens the network.
 *
 * @param files `models/faceres.{json,bin}` of the package
 */
export async function openFaceRes(files: GraphModelFiles): Promise<FaceRes> {
  const tf = await openTfjs();
  const chain = openConvolutionChain(tf, files, { before: DESCRIPTOR });
  return {
    embed: (x) =>
      tf.tidy(() => {
        const crop = resample(tf, x, { width: FACERES_SIZE, height: FACERES_SIZE });
        const input = tf.sub(tf.mul(tf.reverse(crop, 3), 255), MEAN);
        return tf.mean(chain.apply(input as tfjs.Tensor4D), [1, 2]) as tfjs.Tensor2D;
      }),
    dispose: () => chain.dispose(),
  };
}

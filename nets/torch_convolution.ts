/**
 * A convolution or a linear layer of a PyTorch state dict as our convolution takes it: the filter as [height, width,
 * in, out], and the batch normalisation that follows it folded in, so that inference is one pass a layer.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { readFloats, type TensorFile } from "./files/open_tensors.ts";

/** Where a layer lies in a file, and its shape. */
export interface TorchLayer {
  /** Name in front of `.weight` and `.bias`. */
  readonly name: string;
  /** `[out, in, height, width]`; of a linear layer `[out, in]`, which becomes a convolution of 1×1. */
  readonly shape: readonly [number, number, number, number] | readonly [number, number];
  /** Whether the layer has a bias of its own. */
  readonly bias: boolean;
  /** Name of the batch normalisation behind it. */
  readonly norm?: string;
  /** What the normalisation adds to the variance. Default 1e-5, PyTorch's. */
  readonly epsilon?: number;
  /** What the result is multiplied by in the end. Default 1. */
  readonly scale?: number;
}

/** A layer on the device. A type and no interface, so that `tf.tidy` takes it. */
export type FoldedLayer = { readonly filter: tfjs.Tensor4D; readonly bias: tfjs.Tensor1D };

/**
 * Reads a layer: `scale · norm(weight ∗ x + bias)`, with scale and norm inside of the filter and the bias.
 *
 * @throws {TensorFileError} if a tensor is absent or has another shape
 */
export async function readLayer(tf: Tfjs, file: TensorFile, layer: TorchLayer): Promise<FoldedLayer> {
  const { name, shape, norm, epsilon = 1e-5, scale = 1 } = layer;
  const [outputs, inputs, height = 1, width = 1] = shape;
  const values = await readFloats(file, { name: `${name}.weight`, shape });
  const read = (name: string) => readFloats(file, { name, shape: [outputs] });
  const bias = layer.bias ? await read(`${name}.bias`) : new Float32Array(outputs);
  const factors = new Float32Array(outputs).fill(scale);
  if (norm === undefined) {
    for (let i = 0; i < outputs; i++) bias[i] = bias[i]! * scale;
  } else {
    const [gain, shift] = [await read(`${norm}.weight`), await read(`${norm}.bias`)];
    const [mean, variance] = [await read(`${norm}.running_mean`), await read(`${norm}.running_var`)];
    for (let i = 0; i < outputs; i++) {
      const factor = gain[i]! / Math.sqrt(variance[i]! + epsilon);
      factors[i] = scale * factor;
      bias[i] = scale * (shift[i]! + (bias[i]! - mean[i]!) * factor);
    }
  }
  return tf.tidy(() => {
    const turned = tf.transpose(tf.tensor4d(values, [outputs, inputs, height, width]), [2, 3, 1, 0]);
    return { filter: tf.mul(turned, tf.tensor1d(factors)) as tfjs.Tensor4D, bias: tf.tensor1d(bias) };
  });
}

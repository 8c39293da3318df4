/**
 * Layers of a TensorFlow 1 checkpoint as our kernels take them, with the batch normalisation that follows folded in: a
 * convolution, its transpose, a dense layer. Only the axis of the results is looked at, so a network says which widths
 * it has.
 *
 * TensorFlow's padding SAME puts what is odd behind, which `tf.conv2d` of tfjs does too. A transposed convolution's
 * filter is [height, width, out, in].
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { readFloats, type TensorFile } from "./files/open_tensors.ts";
import { TensorFileError } from "./files/source.ts";
import type { FoldedLayer } from "./torch_convolution.ts";

/** Where a layer lies in a checkpoint. */
export interface TensorflowLayer {
  /** Name of the filter. */
  readonly filter: string;
  /** Name of the bias; none if it is left out. */
  readonly bias?: string;
  /** Name in front of the batch normalisation's `/gamma`, `/beta`, `/moving_mean` and `/moving_variance`. */
  readonly norm?: string;
}

/** What a layer's filter must be: its axes, and those whose lengths are known. */
interface Axes {
  /** Lengths; null where the checkpoint decides. */
  readonly shape: readonly (number | null)[];
  /** Which axis the results are on. */
  readonly outputs: number;
}

/** What `tf.contrib.layers.batch_norm` adds to the variance in the networks that are read here. */
const EPSILON = 1e-5;

/** A convolution of `size`×`size` from `inputs` channels. */
export function readConvolution(
  tf: Tfjs,
  file: TensorFile,
  layer: TensorflowLayer & { readonly size: number; readonly inputs: number },
): Promise<FoldedLayer> {
  const { size, inputs } = layer;
  return readFolded(tf, file, { ...layer, axes: { shape: [size, size, inputs, null], outputs: 3 } });
}

/**
 * A dense layer as a convolution of 1×1: the matrix product of one row adds in another order than that of many.
 *
 * @param layer.cells positions of the picture that the result is reshaped to, [cells, channels]; its normalisation has
 *   a gain for each channel. Default 1.
 */
export async function readDense(
  tf: Tfjs,
  file: TensorFile,
  layer: TensorflowLayer & { readonly inputs: number; readonly cells?: number },
): Promise<FoldedLayer> {
  const axes = { shape: [layer.inputs, null], outputs: 1 };
  const { filter, bias } = await readFolded(tf, file, { ...layer, axes });
  const matrix: tfjs.Tensor4D = tf.reshape(filter, [1, 1, ...filter.shape.slice(0, 2)] as [1, 1, number, number]);
  filter.dispose();
  return { filter: matrix, bias };
}

/** A transposed convolution of 3×3 from `inputs` channels, for `transposedConvolution`. */
export async function readTransposed(
  tf: Tfjs,
  file: TensorFile,
  layer: TensorflowLayer & { readonly inputs: number; readonly stride: 1 | 2 },
): Promise<TransposedLayer> {
  const folded = await readFolded(tf, file, { ...layer, axes: { shape: [3, 3, null, layer.inputs], outputs: 2 } });
  if (layer.stride === 2) return { ...folded, stride: 2 };
  // with a stride of 1 it is a convolution with the filter turned by half a turn
  const filter = tf.tidy(() => tf.transpose(tf.reverse(folded.filter, [0, 1]), [0, 1, 3, 2]) as tfjs.Tensor4D);
  folded.filter.dispose();
  return { filter, bias: folded.bias, stride: 1 };
}

/** A transposed convolution on the device. A type and no interface, so that `tf.tidy` takes it. */
export type TransposedLayer = FoldedLayer & { readonly stride: 1 | 2 };

/** What a layer's sums pass through. */
export type Activation = "elu" | "relu" | "linear";

/** activation(conv(x) + bias), padding SAME. */
export function convolution(
  tf: Tfjs,
  x: tfjs.Tensor4D,
  { filter, bias, stride = 1, activation }: FoldedLayer & { stride?: number; activation: Activation },
): tfjs.Tensor4D {
  if (activation !== "elu") return convolve(tf, x, { filter, bias, stride, slope: activation === "relu" ? 0 : 1 });
  return tf.fused.conv2d({ x, filter, bias, strides: stride, pad: "same", activation });
}

/** activation(transposed conv(x) + bias), padding SAME: the picture is `stride` times as large as x. */
export function transposedConvolution(
  tf: Tfjs,
  x: tfjs.Tensor4D,
  { filter, bias, stride, activation }: TransposedLayer & { activation: Activation },
): tfjs.Tensor4D {
  if (stride === 1) return convolution(tf, x, { filter, bias, activation });
  return tf.tidy(() => {
    const [batch, height, width] = x.shape;
    const shape = [batch, 2 * height, 2 * width, filter.shape[2]] as [number, number, number, number];
    const sums = tf.add(tf.conv2dTranspose(x, filter, shape, 2, "same"), bias);
    return (activation === "elu" ? tf.elu(sums) : activation === "relu" ? tf.relu(sums) : sums) as tfjs.Tensor4D;
  });
}

async function readFolded(
  tf: Tfjs,
  file: TensorFile,
  { filter: name, bias: biasName, norm, cells = 1, axes }: TensorflowLayer & { cells?: number; axes: Axes },
): Promise<{ filter: tfjs.Tensor4D; bias: tfjs.Tensor1D }> {
  const shape = filterShape(file, name, axes);
  const values = await readFloats(file, { name, shape });
  const outputs = shape[axes.outputs]!;
  const bias = biasName === undefined
    ? new Float32Array(outputs)
    : await readFloats(file, { name: biasName, shape: [outputs] });
  if (outputs % cells !== 0) {
    throw new TensorFileError(`Cannot read ${file.name}: "${name}" has ${outputs} results, not a multiple of ${cells}`);
  }
  const whole = () => tf.tensor(values, [...shape] as [number]) as tfjs.Tensor as tfjs.Tensor4D;
  if (norm === undefined) return { filter: whole(), bias: tf.tensor1d(bias) };
  const count = outputs / cells;
  const read = (part: string) => readFloats(file, { name: `${norm}/${part}`, shape: [count] });
  const [gain, shift] = [await read("gamma"), await read("beta")];
  const [mean, variance] = [await read("moving_mean"), await read("moving_variance")];
  const factors = new Float32Array(outputs);
  for (let i = 0; i < outputs; i++) {
    const c = i % count;
    factors[i] = gain[c]! / Math.sqrt(variance[c]! + EPSILON);
    bias[i] = shift[c]! + (bias[i]! - mean[c]!) * factors[i]!;
  }
  const along = shape.map((length, axis) => axis === axes.outputs ? length : 1);
  const filter = tf.tidy(() => tf.mul(whole(), tf.tensor(factors, along)) as tfjs.Tensor4D);
  return { filter, bias: tf.tensor1d(bias) };
}

function filterShape(file: TensorFile, name: string, { shape }: Axes): readonly number[] {
  const found = file.tensors.get(name)?.shape;
  // what is absent, readFloats names
  if (found === undefined) return [];
  const fits = found.length === shape.length &&
    shape.every((length, axis) => length === null || length === found[axis]);
  if (fits) return found;
  const wanted = shape.map((length) => length ?? "any").join(",");
  throw new TensorFileError(`Cannot read ${file.name}: "${name}" must be [${wanted}], and it is [${found}]`);
}

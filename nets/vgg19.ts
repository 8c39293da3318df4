/**
 * VGG-19 up to relu4_2 (Simonyan and Zisserman 2015) with torchvision's weights: what the paper's ID-MRF loss looks
 * through, at relu3_2 and relu4_2. The weights are torchvision's own file (see data.lock, collection `vgg19`), or any
 * other that has tensors `features.<n>.weight` [out, in, 3, 3] and `features.<n>.bias` [out].
 *
 * Input as torchvision trained it and as DECA's ID-MRF feeds it: RGB in 0..1 less ImageNet's mean, over its deviation.
 * No filter gradient is computed.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs } from "@ftim/gpu/tfjs";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import type { TensorSource } from "./files/source.ts";
import { IMAGENET } from "./planes.ts";
import { type FoldedLayer, readLayer } from "./torch_convolution.ts";

/** Number in torchvision's `features`, inputs and outputs of each convolution; "pool" halves. */
const LAYERS = [
  [0, 3, 64],
  [2, 64, 64],
  "pool",
  [5, 64, 128],
  [7, 128, 128],
  "pool",
  [10, 128, 256],
  [12, 256, 256],
  [14, 256, 256],
  [16, 256, 256],
  "pool",
  [19, 256, 512],
  [21, 512, 512],
] as const;
/** The convolution whose rectified result is relu3_2. */
const RELU3_2 = 12;

/** An open network. */
export interface Vgg19 {
  /**
   * Two inner layers; differentiable.
   *
   * @param x `[B, S, S, 3]`, 0..1, RGB; S a multiple of 8
   * @returns `[B, S/4, S/4, 256]` and `[B, S/8, S/8, 512]`, after the rectifier
   */
  features(x: tfjs.Tensor4D): { relu3_2: tfjs.Tensor4D; relu4_2: tfjs.Tensor4D };
  dispose(): void;
}

/** The side that VGG-19 was trained with. */
export const VGG19_SIZE = 224;

/**
 * Opens the network.
 *
 * @param source the file, in PyTorch's or any other format that `openTensors` knows; of its 548 MB only the layers up
 * to relu4_2 are read, which are 23 MB
 * @throws {TensorFileError} if it is damaged, of another network, or lacks a tensor
 */
export async function openVgg19(source: TensorSource): Promise<Vgg19> {
  const weights = await openTensors(source, { strip: ["module."] });
  requireLayout(weights, "vgg19");
  const tf = await openTfjs();
  const layers = new Map<number, FoldedLayer>();
  for (const layer of LAYERS) {
    if (layer === "pool") continue;
    const [number, inputs, outputs] = layer;
    const shape = [outputs, inputs, 3, 3] as const;
    layers.set(number, await readLayer(tf, weights, { name: `features.${number}`, shape, bias: true }));
  }
  const colours = (values: typeof IMAGENET.mean) => tf.tensor1d([...values as readonly number[]]);
  const [mean, deviation] = [colours(IMAGENET.mean), colours(IMAGENET.deviation)];
  return {
    features: (x) =>
      tf.tidy(() => {
        let out = tf.div(tf.sub(x, mean), deviation) as tfjs.Tensor4D;
        let relu3_2 = out;
        for (const layer of LAYERS) {
          out = layer === "pool"
            ? tf.maxPool(out, 2, 2, "valid")
            : convolve(tf, out, { ...layers.get(layer[0])!, slope: 0 });
          if (layer[0] === RELU3_2) relu3_2 = out;
        }
        return { relu3_2, relu4_2: out };
      }),
    dispose() {
      tf.dispose([mean, deviation]);
      for (const { filter, bias } of layers.values()) tf.dispose([filter, bias]);
    },
  };
}

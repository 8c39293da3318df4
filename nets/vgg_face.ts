/**
 * VGG-Face (Parkhi et al. 2015) up to fc7 as Chen et al. run it (`vggface.py` of cyj907/unsupervised-detail-layer), in
 * a TensorFlow checkpoint that holds all of its layers.
 *
 * It differs from the published VGG-Face in two things, which the checkpoint was trained with: no mean face is
 * subtracted from the pictures (the authors' code subtracts it from a variable that is not read after that), and fc7
 * is taken before its rectifier.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { readFloats, type TensorFile } from "./files/open_tensors.ts";
import type { FoldedLayer } from "./torch_convolution.ts";

/** Width and height of the pictures. */
export const VGG_FACE_SIZE = 224;
/** Values of fc7. */
export const VGG_FACE_FEATURES = 4096;

/** Name, inputs and outputs of each convolution; "pool" halves. */
const LAYERS = [
  ["conv1_1", 3, 64],
  ["conv1_2", 64, 64],
  "pool",
  ["conv2_1", 64, 128],
  ["conv2_2", 128, 128],
  "pool",
  ["conv3_1", 128, 256],
  ["conv3_2", 256, 256],
  ["conv3_3", 256, 256],
  "pool",
  ["conv4_1", 256, 512],
  ["conv4_2", 512, 512],
  ["conv4_3", 512, 512],
  "pool",
  ["conv5_1", 512, 512],
  ["conv5_2", 512, 512],
  ["conv5_3", 512, 512],
  "pool",
] as const;
/** Width and height of what fc6 covers, all that is left. */
const COVERED = 7;
/** fc6 has 411 MB; so many of its results are computed together, as one buffer of the device holds no more. */
const AT_ONCE = 512;

/** An open network. */
export interface VggFace {
  /**
   * @param x `[B, 224, 224, 3]`, RGB, 0..255
   * @returns `[B, 1, 1, 4096]`: fc7, not rectified
   */
  features(x: tfjs.Tensor4D): tfjs.Tensor4D;
  dispose(): void;
}

/**
 * Reads the network.
 *
 * @param options.prefix what stands in front of `conv1_1_weight` in the file's names
 * @throws {TensorFileError} if a tensor is absent or has another shape
 */
export async function openVggFace(tf: Tfjs, file: TensorFile, { prefix }: { prefix: string }): Promise<VggFace> {
  const weights = (name: string, shape: readonly number[]) =>
    readFloats(file, { name: `${prefix}${name}_weight`, shape });
  const biases = (name: string, count: number) => readFloats(file, { name: `${prefix}${name}_bias`, shape: [count] });
  const layers: (FoldedLayer | "pool")[] = [];
  for (const layer of LAYERS) {
    if (layer === "pool") {
      layers.push(layer);
      continue;
    }
    const [name, inputs, outputs] = layer;
    layers.push({
      filter: tf.tensor4d(await weights(name, [3, 3, inputs, outputs]), [3, 3, inputs, outputs]),
      bias: tf.tensor1d(await biases(name, outputs)),
    });
  }
  const fc6 = partsOf(tf, await weights("fc6", [COVERED, COVERED, 512, VGG_FACE_FEATURES]), {
    rows: COVERED * COVERED * 512,
    bias: await biases("fc6", VGG_FACE_FEATURES),
  });
  const fc7: FoldedLayer = {
    filter: tf.tensor4d(await weights("fc7", [1, 1, VGG_FACE_FEATURES, VGG_FACE_FEATURES]), [
      1,
      1,
      VGG_FACE_FEATURES,
      VGG_FACE_FEATURES,
    ]),
    bias: tf.tensor1d(await biases("fc7", VGG_FACE_FEATURES)),
  };
  return {
    features: (x) =>
      tf.tidy(() => {
        let out = x;
        for (const layer of layers) {
          const before = out;
          out = layer === "pool" ? tf.maxPool(before, 2, 2, "same") : convolve(tf, before, { ...layer, slope: 0 });
          if (before !== x) before.dispose();
        }
        const flat: tfjs.Tensor4D = tf.reshape(out, [x.shape[0], 1, 1, -1]);
        const hidden = tf.concat(fc6.map((part) => convolve(tf, flat, { ...part, slope: 0 })), 3);
        return convolve(tf, hidden as tfjs.Tensor4D, fc7);
      }),
    dispose() {
      for (const layer of [...layers, ...fc6, fc7]) if (layer !== "pool") tf.dispose([layer.filter, layer.bias]);
    },
  };
}

/** A dense layer as several of `AT_ONCE` results. */
function partsOf(
  tf: Tfjs,
  values: Float32Array,
  { rows, bias }: { rows: number; bias: Float32Array },
): FoldedLayer[] {
  const parts: FoldedLayer[] = [];
  for (let first = 0; first < bias.length; first += AT_ONCE) {
    const part = new Float32Array(rows * AT_ONCE);
    for (let row = 0; row < rows; row++) {
      const at = row * bias.length + first;
      part.set(values.subarray(at, at + AT_ONCE), row * AT_ONCE);
    }
    const filter = tf.tensor4d(part, [1, 1, rows, AT_ONCE]);
    // on the device at once, so that memory holds one part beside all of the layer
    webgpuBackend(tf).uploadToGPU(filter.dataId);
    parts.push({ filter, bias: tf.tensor1d(bias.slice(first, first + AT_ONCE)) });
  }
  return parts;
}

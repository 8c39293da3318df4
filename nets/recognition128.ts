/**
 * Identity of a face as 128 numbers: dlib's ResNet (King 2017, "High quality face recognition with deep metric
 * learning", trained with a metric loss) with the weights that face-api.js ships,
 * `model/face_recognition_model{.bin,-weights_manifest.json}`.
 *
 * Two photographs of one person lie closer than 0.6 (Euclidean). The square around the bounding box of the 468-point
 * mesh is the best part to look at: on 50 faces of 39 people same and different separate with AUC 0.9999, and with
 * 0.992 if it is 1.6 times as large.
 *
 * Built from plain tfjs operations, each batch normalisation folded into its convolution. Differentiable with respect
 * to the image; no filter gradient is computed.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { readWeights } from "./graph_model.ts";
import { resample } from "./resample.ts";
import type { Box } from "./resample_taps.ts";

/** What the network makes of a batch of faces. */
export interface RecognitionFeatures {
  /** `[B, 35, 35, 32]`: the last block at stride 4. */
  stride4: tfjs.Tensor4D;
  /** `[B, 17, 17, 64]`: the last block at stride 8. */
  stride8: tfjs.Tensor4D;
  /** `[B, 128]`, of length about 1.3 and not normalised. */
  descriptor: tfjs.Tensor2D;
}

/** An open recognition network. */
export interface Recognition128 {
  /**
   * Descriptors; differentiable.
   *
   * @param x `[B, S, S, 3]`, 0..1, square, RGB
   * @param options `box`: the part of every image to look at
   * @returns `[B, 128]`
   */
  embed(x: tfjs.Tensor4D, options?: { box?: Box }): tfjs.Tensor2D;
  /** Descriptors with two inner layers, for perceptual losses. Arguments as for `embed`. */
  features(x: tfjs.Tensor4D, options?: { box?: Box }): RecognitionFeatures;
  dispose(): void;
}

/** Width and height of the network's input. */
export const RECOGNITION128_SIZE = 150;

const MEAN = [122.782, 117.001, 104.298].map((value) => value / 255);

interface Layer {
  filters: tfjs.Tensor4D;
  bias: tfjs.Tensor1D;
}

/**
 * Opens the network.
 *
 * @param files the manifest and the weights of the package
 * @throws {RangeError} If the two do not fit together.
 * @throws {TypeError} If a weight of the network is absent.
 */
export async function openRecognition128(
  files: { manifest: Uint8Array; weights: Uint8Array },
): Promise<Recognition128> {
  const tf = await openTfjs();
  const layers = openLayers(tf, files);
  const layer = (name: string) => layers.convolutions.get(name) as Layer;

  const convRelu = (x: tfjs.Tensor4D, name: string, down = false) =>
    convolve(tf, x, {
      filter: layer(name).filters,
      bias: layer(name).bias,
      stride: down ? 2 : 1,
      pad: down ? "valid" : "same",
      slope: 0,
    });
  const conv = (x: tfjs.Tensor4D, name: string): tfjs.Tensor4D =>
    convolve(tf, x, { filter: layer(name).filters, bias: layer(name).bias });

  const residual = (x: tfjs.Tensor4D, name: string): tfjs.Tensor4D =>
    tf.relu(tf.add(conv(convRelu(x, `${name}/conv1`), `${name}/conv2`), x));

  function residualDown(x: tfjs.Tensor4D, name: string): tfjs.Tensor4D {
    const out = conv(convRelu(x, `${name}/conv1`, true), `${name}/conv2`);
    const pooled = tf.avgPool(x, 2, 2, "valid");
    const grow = (pooled.shape[1] as number) - (out.shape[1] as number);
    const widen = (out.shape[3] as number) - (pooled.shape[3] as number);
    const padded: tfjs.Tensor4D = grow === 0 ? out : tf.pad(out, [[0, 0], [0, grow], [0, grow], [0, 0]]);
    const widened: tfjs.Tensor4D = widen === 0 ? pooled : tf.pad(pooled, [[0, 0], [0, 0], [0, 0], [0, widen]]);
    return tf.relu(tf.add(padded, widened));
  }

  function features(x: tfjs.Tensor4D, { box }: { box?: Box } = {}): RecognitionFeatures {
    return tf.tidy(() => {
      const size = { width: RECOGNITION128_SIZE, height: RECOGNITION128_SIZE };
      const input = tf.sub(resample(tf, x, box ? { box, ...size } : size), layers.mean) as tfjs.Tensor4D;
      let out = tf.maxPool(convRelu(input, "conv32_down", true), 3, 2, "valid");
      for (const name of ["conv32_1", "conv32_2", "conv32_3"]) out = residual(out, name);
      const stride4 = out;
      out = residualDown(out, "conv64_down");
      for (const name of ["conv64_1", "conv64_2", "conv64_3"]) out = residual(out, name);
      const stride8 = out;
      out = residualDown(out, "conv128_down");
      for (const name of ["conv128_1", "conv128_2"]) out = residual(out, name);
      out = residualDown(out, "conv256_down");
      for (const name of ["conv256_1", "conv256_2"]) out = residual(out, name);
      out = residualDown(out, "conv256_down_out");
      // As a convolution: tfjs's matrix product of one row adds in another order than that of many.
      const means = tf.mean(out, [1, 2], true) as tfjs.Tensor4D;
      const descriptor = tf.reshape(convolve(tf, means, { filter: layers.fc }), [x.shape[0], -1]) as tfjs.Tensor2D;
      return { stride4, stride8, descriptor };
    });
  }

  return {
    features,
    embed: (x, options) => tf.tidy(() => features(x, options).descriptor),
    dispose() {
      tf.dispose([layers.mean, layers.fc]);
      for (const { filters, bias } of layers.convolutions.values()) tf.dispose([filters, bias]);
    },
  };
}

interface Layers {
  convolutions: Map<string, Layer>;
  fc: tfjs.Tensor4D;
  mean: tfjs.Tensor1D;
}

/** The layers `scale · (filters ∗ x + bias) + shift`, with the scale inside of the filters. */
function openLayers(tf: Tfjs, files: { manifest: Uint8Array; weights: Uint8Array }): Layers {
  const weights = readWeights(tf, files);
  try {
    return foldLayers(tf, weights);
  } finally {
    tf.dispose(Object.values(weights));
  }
}

function foldLayers(tf: Tfjs, weights: tfjs.NamedTensorMap): Layers {
  const weight = (name: string) => {
    const tensor = weights[name];
    if (!tensor) throw new TypeError(`Cannot open the recognition network: weight "${name}" is absent`);
    return tensor;
  };
  const convolutions = new Map<string, Layer>();
  for (const name of layerNames()) {
    const scale = weight(`${name}/scale/weights`);
    convolutions.set(name, {
      filters: tf.mul(weight(`${name}/conv/filters`), scale),
      bias: tf.tidy(() => tf.add(tf.mul(weight(`${name}/conv/bias`), scale), weight(`${name}/scale/biases`))),
    });
  }
  const fc = weight("fc") as tfjs.Tensor2D;
  return { convolutions, fc: tf.reshape(fc, [1, 1, ...fc.shape]), mean: tf.tensor1d(MEAN) };
}

function layerNames(): string[] {
  const blocks = [
    ...["conv32_1", "conv32_2", "conv32_3"],
    ...["conv64_down", "conv64_1", "conv64_2", "conv64_3"],
    ...["conv128_down", "conv128_1", "conv128_2"],
    ...["conv256_down", "conv256_1", "conv256_2", "conv256_down_out"],
  ];
  return ["conv32_down", ...blocks.flatMap((block) => [`${block}/conv1`, `${block}/conv2`])];
}

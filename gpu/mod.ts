/**
 * One WebGPU device for TensorFlow.js, ONNX Runtime and our own WGSL, and kernels that make training on it fast:
 * convolution, depthwise convolution and their gradients in place of tfjs's own, ops for what else a U-Net's training
 * step does, and the scores of image pairs.
 *
 * @example
 * ```ts
 * import { convolve, normalize, openGpu, openTfjs, upsampleConvolve } from "@ftim/gpu";
 *
 * const tf = await openTfjs();
 * const coarse = tf.ones([1, 8, 8, 16]).as4D(1, 8, 8, 16);
 * const fine = tf.ones([1, 16, 16, 8]).as4D(1, 16, 16, 8);
 * const [below, beside] = [tf.ones([3, 3, 16, 8]).as4D(3, 3, 16, 8), tf.ones([3, 3, 8, 8]).as4D(3, 3, 8, 8)];
 * const sum = tf.add(upsampleConvolve(tf, coarse, { filter: below }), convolve(tf, fine, { filter: beside }));
 * const [gamma, beta] = [tf.ones([8]).as1D(), tf.zeros([8]).as1D()];
 * const y = normalize(tf, sum.as4D(1, 16, 16, 8), { gamma, beta, slope: 0.2 });
 * await y.data();
 * await (await openGpu()).assertHealthy("example");
 * ```
 *
 * @module
 */

export { submitRecorded, type Tfjs, webgpuBackend } from "./backend.ts";
export { setHalfPrecision } from "./conv/families.ts";
export { readFamilies, tuneConvolutions, type TunedFamilies } from "./conv/tuner.ts";
export { type Gpu, GpuError, type GpuInfo, openGpu } from "./device.ts";
export { registerFastKernels, type RegisterOptions } from "./fast_kernels.ts";
export { compareImages, type ImagePair, type ImageScores, type PairScores } from "./metrics/compare_images.ts";
export {
  type DeviceTensor,
  type Feeds,
  type OnnxSession,
  type OnnxTensor,
  openSession,
  type OpenSessionOptions,
  runsOnGpu,
} from "./onnx.ts";
export { type AdamOptions, type AdamState, adamStep, type AdamUpdate, createAdam, disposeAdam } from "./ops/adam.ts";
export { alongAxis, type AlongAxisOptions } from "./ops/along_axis.ts";
export { convolve, type ConvolveOptions } from "./ops/convolve.ts";
export { normalize, type NormalizeOptions } from "./ops/normalize.ts";
export { selectRows } from "./ops/select_rows.ts";
export { upsampleConvolve, type UpsampleConvolveOptions } from "./ops/upsample_convolve.ts";
export { meanDeviation, type MeanDeviationOptions, weightedL1, type WeightedL1Options } from "./ops/weighted_l1.ts";
export { applySparse, disposeSparse } from "./sparse.ts";
export { type SparseMatrix } from "./sparse_matrix.ts";
export { openTfjs } from "./tfjs.ts";

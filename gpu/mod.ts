/**
 * One WebGPU device for TensorFlow.js, ONNX Runtime and our own WGSL, and kernels that make training on it fast: convolution, depthwise
 * convolution and their gradients in place of tfjs's own, and ops for what else a U-Net's training step does.
 *
 * @example
 * ```ts
 * import { convolve, normalize, openGpu, openTfjs, upsampleConvolve } from "./mod.ts";
 *
 * const tf = await openTfjs();
 * const coarse = tf.ones([1, 8, 8, 16]) as import("@tensorflow/tfjs").Tensor4D;
 * const fine = tf.ones([1, 16, 16, 8]) as import("@tensorflow/tfjs").Tensor4D;
 * const [below, beside] = [tf.ones([3, 3, 16, 8]), tf.ones([3, 3, 8, 8])] as import("@tensorflow/tfjs").Tensor4D[];
 * const sum = tf.add(upsampleConvolve(tf, coarse, { filter: below! }), convolve(tf, fine, { filter: beside! }));
 * const y = normalize(tf, sum as import("@tensorflow/tfjs").Tensor4D, { gamma: tf.ones([8]), beta: tf.zeros([8]), slope: 0.2 });
 * await y.data();
 * await (await openGpu()).assertHealthy("example");
 * ```
 *
 * @module
 */

export { setHalfPrecision } from "./conv/families.ts";
export * from "./conv/tuner.ts";
export * from "./device.ts";
export * from "./fast_kernels.ts";
export * from "./onnx.ts";
export * from "./ops/adam.ts";
export * from "./ops/convolve.ts";
export * from "./ops/normalize.ts";
export * from "./ops/upsample_convolve.ts";
export * from "./tfjs.ts";

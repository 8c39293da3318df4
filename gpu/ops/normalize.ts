/**
 * Instance and group normalisation with the activation behind it, in one op.
 *
 * tfjs composes it of moments, subtract, rsqrt, multiply, add and leakyRelu; in a U-Net's training step that takes
 * longer than the convolutions. This op takes three passes forward and four back. Mean and variance come from chunks of
 * pixels, each relative to its first value, joined by Chan's formula in a fixed order: exact where the mean is large
 * against the deviation, and the same in every run and every batch.
 */

import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { isSoftware } from "../device.ts";
import { type Tfjs, webgpuBackend } from "../backend.ts";
import { chunksOf, elementFor } from "../kernels/invocations.ts";
import {
  APPLY,
  GRADIENT,
  GRADIENT_SUMS,
  GROUP_MEANS,
  JOIN_SUMS,
  MOMENTS,
  PARAMETER_GRADIENT,
  PARTIAL_MOMENTS,
} from "./normalize_wgsl.ts";
import { differentiable, run } from "./run.ts";

/**
 * Sums are cut into chunks as for so many images, whatever the batch, so that an image has the same bits alone and
 * among others. A training step here has as many.
 */
const IMAGES = 3;

/** Options of `normalize`. */
export interface NormalizeOptions<Parameter = Tensor1D> {
  /** Scale per channel, [channels]. */
  readonly gamma: Parameter;
  /** Offset per channel, [channels]. */
  readonly beta: Parameter;
  /**
   * Channels are normalised in this many groups; must divide them. Default: every channel by itself (instance
   * normalisation).
   */
  readonly groups?: number;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Slope of the activation below zero: 1 is none (the default), 0 is relu, 0.2 a leaky relu. */
  readonly slope?: number;
}

// Pixels that one invocation of an element-wise pass writes.
const PIXELS = 8;

/**
 * leakyRelu(gamma · (x − mean) / √(variance + epsilon) + beta). Mean and variance are over the pixels of an image and
 * the channels of a group. Differentiable in x, gamma and beta. Bit-repeatable.
 *
 * @param x [batch, height, width, channels]
 * @throws {RangeError} if the groups do not divide the channels
 */
export function normalize(tf: Tfjs, x: Tensor4D, options: NormalizeOptions): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const { groups = channels, epsilon = 1e-5, slope = 1 } = options;
  if (channels % groups !== 0) throw new RangeError(`Cannot normalize ${channels} channels in ${groups} groups`);
  const pixels = height * width;
  const { element, width: lanes } = elementFor(channels);
  const columns = channels / lanes;
  const chunks = chunksOf(pixels, { others: columns * IMAGES, software: isSoftware(webgpuBackend(tf).device) });
  const chunk = Math.ceil(pixels / chunks);
  const walk = {
    uniforms: [columns * chunks * batch, columns, pixels, chunks, chunk],
    invocations: columns * chunks * batch,
  };
  const blocks = Math.ceil(pixels / PIXELS);
  const each = [columns * blocks * batch, columns, pixels, blocks, PIXELS];
  const perGroup = [batch * groups, channels, channels / groups, groups];

  const { gamma, beta } = options;
  const forward = (save: (tensors: Tensor[]) => void) => {
    const partial = run(tf, { ...PARTIAL_MOMENTS(element), inputs: [x], shape: [batch, chunks, 2, channels], ...walk });
    const moments = run(tf, {
      ...MOMENTS,
      inputs: [partial],
      shape: [batch, 2, channels],
      uniforms: [...perGroup, chunks, chunk, pixels, { f32: epsilon }],
      invocations: batch * groups,
    });
    const value = run(tf, {
      ...APPLY(element),
      inputs: [x, moments, gamma, beta],
      shape: x.shape,
      uniforms: [...each, { f32: slope }],
      invocations: each[0] ?? 0,
    });
    save([x, moments, gamma, beta]);
    return value;
  };
  const gradient = (dy: Tensor, saved: Tensor[]) => {
    const inputs = [...saved, dy];
    const parts = run(tf, {
      ...GRADIENT_SUMS(element),
      inputs,
      shape: [batch, chunks, 2, channels],
      uniforms: [...walk.uniforms, { f32: slope }],
      invocations: walk.invocations,
    });
    const size = batch * 2 * channels;
    const sums = run(tf, {
      ...JOIN_SUMS,
      inputs: [parts],
      shape: [batch, 2, channels],
      uniforms: [size, chunks, 2 * channels],
      invocations: size,
    });
    const means = run(tf, {
      ...GROUP_MEANS,
      inputs: [sums, gamma],
      shape: [batch, 2, channels],
      uniforms: [...perGroup, pixels],
      invocations: batch * groups,
    });
    const dx = run(tf, {
      ...GRADIENT(element),
      inputs: [...inputs, means],
      shape: x.shape,
      uniforms: [...each, { f32: slope }],
      invocations: each[0] ?? 0,
    });
    const parameter = (row: number) =>
      run(tf, {
        ...PARAMETER_GRADIENT,
        inputs: [sums],
        shape: [channels],
        uniforms: [channels, batch, row],
        invocations: channels,
      });
    return [dx, parameter(1), parameter(0)];
  };
  return differentiable(tf, { inputs: [x, gamma, beta], forward, gradient }) as Tensor4D;
}

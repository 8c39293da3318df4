/** How the operands of a convolution are packed into texels (see kernels/texels.ts). */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { sizeOf } from "../kernels/dispatch.ts";
import { pack, type Packing } from "../kernels/texels.ts";
import type { ConvGeometry } from "./geometry.ts";

/** Texels [pixel][group of four channels] of a tensor whose last axis is the channels. */
export function packPixels(
  backend: WebGPUBackend,
  tensor: TensorInfo,
  options: Pick<Packing, "slot" | "keep" | "through" | "packed">,
): TensorInfo {
  const channels = tensor.shape[tensor.shape.length - 1] ?? 1;
  const outer = sizeOf(tensor.shape) / channels;
  return pack(backend, tensor, {
    outer,
    outerStride: channels,
    inner: 1,
    innerPadded: 1,
    innerStride: 0,
    channels,
    channelStride: 1,
    ...options,
  });
}

/** Texels [tap][input channel, padded to four][group of four output channels]. */
export function packFilter(backend: WebGPUBackend, filter: TensorInfo, g: ConvGeometry): TensorInfo {
  return packTaps(backend, filter, { inner: [g.inChannels, g.outChannels], channels: [g.outChannels, 1] });
}

/** Texels [tap][output channel, padded to four][group of four input channels]. */
export function packTransposed(backend: WebGPUBackend, filter: TensorInfo, g: ConvGeometry): TensorInfo {
  return packTaps(backend, filter, { inner: [g.outChannels, 1], channels: [g.inChannels, g.outChannels] });
}

type Axis = readonly [count: number, stride: number];

function packTaps(
  backend: WebGPUBackend,
  filter: TensorInfo,
  { inner: [inner, innerStride], channels: [channels, channelStride] }: { inner: Axis; channels: Axis },
): TensorInfo {
  return pack(backend, filter, {
    outer: sizeOf(filter.shape) / (inner * channels),
    outerStride: inner * channels,
    inner,
    innerPadded: 4 * Math.ceil(inner / 4),
    innerStride,
    channels,
    channelStride,
    slot: "filter",
    keep: "again",
  });
}

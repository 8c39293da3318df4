// How the operands of a convolution are packed into texels (see kernels/texels.ts).

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
  return pack(backend, filter, {
    outer: g.kernelHeight * g.kernelWidth,
    outerStride: g.inChannels * g.outChannels,
    inner: g.inChannels,
    innerPadded: 4 * Math.ceil(g.inChannels / 4),
    innerStride: g.outChannels,
    channels: g.outChannels,
    channelStride: 1,
    slot: "filter",
    keep: "again",
  });
}

/** Texels [tap][output channel, padded to four][group of four input channels]. */
export function packTransposed(backend: WebGPUBackend, filter: TensorInfo, g: ConvGeometry): TensorInfo {
  return pack(backend, filter, {
    outer: g.kernelHeight * g.kernelWidth,
    outerStride: g.inChannels * g.outChannels,
    inner: g.outChannels,
    innerPadded: 4 * Math.ceil(g.outChannels / 4),
    innerStride: 1,
    channels: g.inChannels,
    channelStride: g.outChannels,
    slot: "filter",
    keep: "again",
  });
}

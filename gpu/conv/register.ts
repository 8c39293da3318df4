/**
 * Puts our convolution kernels in place of the stock ones of tfjs's backend "webgpu". What they do not cover goes to
 * the stock kernel: NCHW, strides that differ, a bias that is not one value per channel.
 */

import type { NamedAttrMap, NamedTensorInfoMap, Tensor, TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { sizeOf } from "../kernels/dispatch.ts";
import { replaceKernel, required } from "../kernels/replace.ts";
import type { Tfjs } from "../backend.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient, type Target } from "./conv2d.ts";
import { depthwiseConv2d, depthwiseConv2dInputGradient } from "./depthwise.ts";
import { type Activation, type ConvAttrs, geometryOf, isFusable } from "./geometry.ts";

/** Options of the registration. */
export interface RegisterOptions {
  /** See `GpuInfo.software`. */
  readonly software: boolean;
}

/**
 * Registers Conv2D, FusedConv2D, Conv2DBackpropInput, Conv2DBackpropFilter and the gradient of Conv2D, dilation
 * included.
 */
export function registerConvolution(tf: Tfjs, { software }: RegisterOptions): void {
  const target = (backend: unknown): Target => ({ backend: backend as WebGPUBackend, software });

  replaceKernel(tf, "Conv2D", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    const filter = required(inputs, "filter");
    const geometry = geometryOf(tf, { shape: x.shape, filter: filter.shape, attrs: attrs as unknown as ConvAttrs });
    return geometry && conv2d(target(backend), geometry, { x, filter });
  });

  replaceKernel(tf, "FusedConv2D", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    const filter = required(inputs, "filter");
    const bias = inputs.bias ?? undefined;
    const options = attrs as unknown as ConvAttrs;
    const geometry = geometryOf(tf, { shape: x.shape, filter: filter.shape, attrs: options });
    if (geometry === undefined || (bias !== undefined && sizeOf(bias.shape) !== geometry.outChannels)) return undefined;
    return activate(
      tf,
      { inputs, backend, options },
      (epilogue) => conv2d(target(backend), geometry, { x, filter, bias, epilogue }),
    );
  });

  replaceKernel(tf, "Conv2DBackpropInput", ({ inputs, backend, attrs }) => {
    const dy = required(inputs, "dy");
    const filter = required(inputs, "filter");
    const options = attrs as unknown as ConvAttrs;
    const geometry = geometryOf(tf, { shape: options.inputShape ?? [], filter: filter.shape, attrs: options });
    return geometry && conv2dInputGradient(target(backend), geometry, { dy, filter });
  });

  replaceKernel(tf, "Conv2DBackpropFilter", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    const dy = required(inputs, "dy");
    const options = attrs as unknown as ConvAttrs;
    const geometry = geometryOf(tf, { shape: x.shape, filter: options.filterShape ?? [], attrs: options });
    return geometry && conv2dFilterGradient(target(backend), geometry, { x, dy });
  });

  registerDepthwise(tf);
  registerGradient(tf);
}

interface Activated {
  readonly inputs: NamedTensorInfoMap;
  readonly backend: unknown;
  readonly options: ConvAttrs;
}

/**
 * A fused convolution with its activation: in the kernel's epilogue, or, for prelu, behind it. Undefined for an
 * activation of neither kind.
 */
function activate(
  tf: Tfjs,
  { inputs, backend, options: { activation = "linear", leakyreluAlpha = 0.2 } }: Activated,
  convolve: (epilogue: { activation: Activation; alpha: number }) => TensorInfo,
): TensorInfo | undefined {
  if (isFusable(activation)) return convolve({ activation, alpha: leakyreluAlpha });
  const alpha = inputs.preluActivationWeights;
  if (activation !== "prelu" || alpha === undefined) return undefined;
  const x = convolve({ activation: "linear", alpha: 0 });
  const result = tf.getKernel("Prelu", "webgpu").kernelFunc({
    inputs: { x, alpha },
    backend: backend as WebGPUBackend,
  }) as TensorInfo;
  (backend as WebGPUBackend).disposeData(x.dataId);
  return result;
}

// With one output channel per input channel; a larger multiplier goes to the stock kernels.
function registerDepthwise(tf: Tfjs): void {
  const geometryFor = (shape: number[], filter: number[], attrs: ConvAttrs) =>
    filter[3] === 1 ? geometryOf(tf, { shape, filter, attrs, depthwise: true }) : undefined;

  replaceKernel(tf, "DepthwiseConv2dNative", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    const filter = required(inputs, "filter");
    const geometry = geometryFor(x.shape, filter.shape, attrs as unknown as ConvAttrs);
    return geometry && depthwiseConv2d(backend as WebGPUBackend, geometry, { x, filter });
  });

  replaceKernel(tf, "FusedDepthwiseConv2D", ({ inputs, backend, attrs }) => {
    const x = required(inputs, "x");
    const filter = required(inputs, "filter");
    const bias = inputs.bias ?? undefined;
    const options = attrs as unknown as ConvAttrs;
    const geometry = geometryFor(x.shape, filter.shape, options);
    if (geometry === undefined || (bias !== undefined && sizeOf(bias.shape) !== geometry.outChannels)) return undefined;
    return activate(
      tf,
      { inputs, backend, options },
      (epilogue) => depthwiseConv2d(backend as WebGPUBackend, geometry, { x, filter, bias, epilogue }),
    );
  });

  replaceKernel(tf, "DepthwiseConv2dNativeBackpropInput", ({ inputs, backend, attrs }) => {
    const dy = required(inputs, "dy");
    const filter = required(inputs, "filter");
    const options = attrs as unknown as ConvAttrs;
    const geometry = geometryFor(options.inputShape ?? [], filter.shape, options);
    return geometry && depthwiseConv2dInputGradient(backend as WebGPUBackend, geometry, { dy, filter });
  });
}

// tfjs's own gradient refuses dilation. Only the backend "webgpu" with our kernels serves it.
function registerGradient(tf: Tfjs): void {
  tf.unregisterGradient("Conv2D");
  tf.registerGradient({
    kernelName: "Conv2D",
    inputsToSave: ["x", "filter"],
    gradFunc: (upstream, [x, filter], attrs) => {
      const dy = upstream as Tensor;
      if (x === undefined || filter === undefined) {
        throw new TypeError("Cannot differentiate Conv2D: x and filter were not saved");
      }
      const { strides, pad, dataFormat, dilations, dimRoundingMode } = attrs as unknown as ConvAttrs;
      const shared = { strides, pad, dataFormat, dilations, dimRoundingMode };
      const run = (kernel: string, inputs: Record<string, Tensor>, extra: object) =>
        tf.engine().runKernel<Tensor>(kernel, inputs, { ...shared, ...extra } as unknown as NamedAttrMap);
      return {
        x: () => run("Conv2DBackpropInput", { dy, filter }, { inputShape: x.shape }),
        filter: () => run("Conv2DBackpropFilter", { x, dy }, { filterShape: filter.shape }),
      };
    },
  });
}

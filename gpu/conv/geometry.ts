/** The numbers of one convolution, how they follow from what tfjs says of it, and what happens to its sums. */

import type { Tfjs } from "../backend.ts";

/** The shapes of a 2-D convolution, NHWC. Filters are [kernelHeight, kernelWidth, inChannels, outChannels]. */
export interface ConvGeometry {
  readonly batch: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** An activation that the kernels apply themselves, as tfjs names it. */
export type Activation = "linear" | "relu" | "relu6" | "leakyrelu" | "elu" | "sigmoid";

const FUSABLE: readonly string[] = ["linear", "relu", "relu6", "leakyrelu", "elu", "sigmoid"] satisfies Activation[];

/** Whether the kernels apply this activation themselves. */
export function isFusable(activation: string): activation is Activation {
  return FUSABLE.includes(activation);
}

/** What happens to a sum before it is stored. */
export interface Epilogue {
  readonly hasBias: boolean;
  readonly activation: Activation;
  /** Slope of leakyrelu below zero. */
  readonly alpha: number;
}

type Pad = "valid" | "same" | number | [[number, number], [number, number], [number, number], [number, number]];

/** The attributes that tfjs gives to its convolution kernels. */
export interface ConvAttrs {
  readonly strides: number | [number, number];
  readonly pad: Pad;
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly inputShape?: [number, number, number, number];
  readonly filterShape?: [number, number, number, number];
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/** What `geometryOf` goes by. */
export interface GeometryRequest {
  /** Of the input: [batch, height, width, channels]. */
  readonly shape: readonly number[];
  /** [kernelHeight, kernelWidth, inChannels, outChannels]; the last is results per input channel if it is depthwise. */
  readonly filter: readonly number[];
  readonly attrs: ConvAttrs;
  readonly depthwise?: boolean;
}

/** The geometry of a convolution by tfjs's own rules for padding, or `undefined` where our kernels do not serve. */
export function geometryOf(
  tf: Tfjs,
  { shape, filter, attrs, depthwise = false }: GeometryRequest,
): ConvGeometry | undefined {
  if (attrs.dataFormat === "NCHW") return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    [...shape] as [number, number, number, number],
    [...filter] as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
  );
  if (info.strideHeight !== info.strideWidth) return undefined;
  return {
    batch: info.batchSize,
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    inChannels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
}

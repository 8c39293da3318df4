/** The shape of a convolution in a test, and its operands. */

import { geometryCpu } from "../../../gpu/conv/geometry_cpu.ts";
import type { ConvAttrs, ConvGeometry } from "../../../gpu/conv/geometry.ts";
import { random, type Values } from "../arrays.ts";

/** What a convolution is of. */
export interface ConvCase {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly dilation: number;
  readonly pad: "same" | "valid" | [[number, number], [number, number], [number, number], [number, number]];
}

/** A small convolution of 3×3, from which cases differ in some points. */
export const BASE: ConvCase = {
  batch: 1,
  height: 7,
  width: 9,
  inChannels: 4,
  outChannels: 8,
  kernel: [3, 3],
  stride: 1,
  dilation: 1,
  pad: "same",
};

/** Operands and geometry of a convolution. */
export interface ConvOperands {
  readonly geometry: ConvGeometry;
  readonly attrs: ConvAttrs;
  /** [batch, height, width, inChannels] */
  readonly x: Values;
  /** [kernelHeight, kernelWidth, inChannels, outChannels] */
  readonly filter: Values;
  /** [outChannels] */
  readonly bias: Values;
  /** Of the result's shape. */
  readonly dy: Values;
}

/** Random operands for a case. */
export function operandsOf(c: ConvCase): ConvOperands {
  const [x, filter, bias] = [
    random([c.batch, c.height, c.width, c.inChannels], 1),
    random([...c.kernel, c.inChannels, c.outChannels], 2),
    random([c.outChannels], 3),
  ];
  const attrs: ConvAttrs = { strides: c.stride, pad: c.pad, dilations: c.dilation };
  const geometry = geometryCpu({ shape: x.shape, filter: filter.shape, attrs })!;
  const dy = random([c.batch, geometry.outHeight, geometry.outWidth, c.outChannels], 4);
  return { geometry, attrs, x, filter, bias, dy };
}

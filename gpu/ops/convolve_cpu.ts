/** Convolution, bias and leaky relu, and the gradients of all three, by their definitions in conv/conv2d_cpu.ts. */

import { conv2dCpu, conv2dFilterGradientCpu, conv2dInputGradientCpu, passThroughCpu } from "../conv/conv2d_cpu.ts";
import type { ConvAttrs, ConvGeometry } from "../conv/geometry.ts";
import { geometryCpu } from "../conv/geometry_cpu.ts";
import type { Dense } from "../dense.ts";
import { columnSumCpu } from "../kernels/column_sum_cpu.ts";
import type { ConvolveOptions } from "./convolve.ts";

/** leakyRelu(conv2d(x, filter) + bias). Shapes as in `convolve`. */
export function convolveCpu(x: Dense, options: ConvolveOptions<Dense, Dense>): Dense<Float64Array> {
  const { filter, bias, slope = 1 } = options;
  return conv2dCpu(geometryFor(x, options), { x, filter, bias, epilogue: { activation: "leakyrelu", alpha: slope } });
}

/** The gradients of `convolveCpu` for an upstream gradient of the result's shape. */
export function convolveGradientCpu(
  dy: Dense,
  { x, ...options }: ConvolveOptions<Dense, Dense> & { readonly x: Dense },
): { readonly x: Dense<Float64Array>; readonly filter: Dense<Float64Array>; readonly bias: Dense<Float64Array> } {
  const geometry = geometryFor(x, options);
  const { filter, slope = 1 } = options;
  const dz = passThroughCpu(dy, { value: convolveCpu(x, options), slope });
  const columns = geometry.outChannels;
  return {
    x: conv2dInputGradientCpu(geometry, { dy: dz, filter }),
    filter: conv2dFilterGradientCpu(geometry, { x, dy: dz }),
    bias: columnSumCpu(dz, { rows: dz.data.length / columns, columns, shape: [columns] }),
  };
}

function geometryFor(
  x: Dense,
  { filter, stride = 1, pad = "same", dilation = 1 }: ConvolveOptions<Dense, Dense>,
): ConvGeometry {
  const attrs: ConvAttrs = { strides: stride, pad, dilations: dilation };
  const geometry = geometryCpu({ shape: x.shape, filter: filter.shape, attrs });
  if (geometry === undefined) throw new TypeError(`Cannot convolve with stride ${stride}`);
  return geometry;
}

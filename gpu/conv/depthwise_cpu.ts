/** Depthwise convolution as plain loops in double precision: the definition of what depthwise.ts computes. */

import { type Dense, zeros } from "../dense.ts";
import { activateCpu } from "./activation_cpu.ts";
import type { ForwardOperands } from "./conv2d.ts";
import type { ConvGeometry } from "./geometry.ts";
import { eachTap } from "./geometry_cpu.ts";

/**
 * activation(depthwise(x, filter) + bias): [batch, outHeight, outWidth, channels]. The filter is [kernelHeight,
 * kernelWidth, channels, 1].
 */
export function depthwiseConv2dCpu(
  g: ConvGeometry,
  { x, filter, bias, epilogue }: ForwardOperands<Dense>,
): Dense<Float64Array> {
  const { shape, data } = zeros([g.batch, g.outHeight, g.outWidth, g.inChannels]);
  eachProduct(g, (output, input, weight) => {
    data[output]! += x.data[input]! * filter.data[weight]!;
  });
  return { shape, data: data.map((sum, i) => activateCpu(sum + (bias?.data[i % g.inChannels] ?? 0), epilogue)) };
}

/** Gradient of a depthwise convolution's input: [batch, inHeight, inWidth, channels]. */
export function depthwiseConv2dInputGradientCpu(
  g: ConvGeometry,
  { dy, filter }: { readonly dy: Dense; readonly filter: Dense },
): Dense<Float64Array> {
  const dx = zeros([g.batch, g.inHeight, g.inWidth, g.inChannels]);
  eachProduct(g, (output, input, weight) => {
    dx.data[input]! += dy.data[output]! * filter.data[weight]!;
  });
  return dx;
}

/** Calls `visit` with the index of an output, an input and a weight for every product. */
function eachProduct(g: ConvGeometry, visit: (output: number, input: number, weight: number) => void): void {
  eachTap(g, (output, input, tap) => {
    for (let c = 0; c < g.inChannels; c++) {
      visit(output * g.inChannels + c, input * g.inChannels + c, tap * g.inChannels + c);
    }
  });
}

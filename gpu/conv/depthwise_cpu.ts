/** Depthwise convolution as plain loops in double precision: the definition of what depthwise.ts computes. */

import { type Dense, zeros } from "../dense.ts";
import { activateCpu } from "./activation_cpu.ts";
import type { ForwardOperands } from "./conv2d.ts";
import type { ConvGeometry } from "./geometry.ts";

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
  for (let image = 0; image < g.batch; image++) {
    for (let outY = 0; outY < g.outHeight; outY++) {
      for (let outX = 0; outX < g.outWidth; outX++) {
        for (let row = 0; row < g.kernelHeight; row++) {
          for (let column = 0; column < g.kernelWidth; column++) {
            const y = outY * g.strideHeight + row * g.dilationHeight - g.padTop;
            const x = outX * g.strideWidth + column * g.dilationWidth - g.padLeft;
            if (y < 0 || y >= g.inHeight || x < 0 || x >= g.inWidth) continue;
            const output = ((image * g.outHeight + outY) * g.outWidth + outX) * g.inChannels;
            const input = ((image * g.inHeight + y) * g.inWidth + x) * g.inChannels;
            const weight = (row * g.kernelWidth + column) * g.inChannels;
            for (let c = 0; c < g.inChannels; c++) visit(output + c, input + c, weight + c);
          }
        }
      }
    }
  }
}

/**
 * A decoder's convolution the long way: the map is doubled, then convolved. The definition of what upsample_convolve.ts
 * computes.
 */

import { type Dense, elementAt, fill, zeros } from "../dense.ts";
import { convolveCpu, convolveGradientCpu } from "./convolve_cpu.ts";
import type { UpsampleConvolveOptions } from "./upsample_convolve.ts";

/** leakyRelu(conv2d(x doubled in height and width, filter, 1, "same") + bias). Shapes as in `upsampleConvolve`. */
export function upsampleConvolveCpu(x: Dense, options: UpsampleConvolveOptions<Dense, Dense>): Dense<Float64Array> {
  return convolveCpu(doubled(x), options);
}

/** The gradients of `upsampleConvolveCpu` for an upstream gradient of the result's shape. */
export function upsampleConvolveGradientCpu(
  dy: Dense,
  { x, ...options }: UpsampleConvolveOptions<Dense, Dense> & { readonly x: Dense },
): ReturnType<typeof convolveGradientCpu> {
  const fine = convolveGradientCpu(dy, { x: doubled(x), ...options });
  return { ...fine, x: halved(fine.x) };
}

/** Each pixel four times: the nearest neighbour. */
function doubled(x: Dense): Dense<Float64Array> {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  return fill(
    [batch, 2 * height, 2 * width, channels],
    ([b, row, column, c]) => elementAt(x, [b!, row! >> 1, column! >> 1, c!]),
  );
}

/** The transpose of `doubled`: each pixel is the sum of the four that repeat it. */
function halved(fine: Dense): Dense<Float64Array> {
  const [batch, height, width, channels] = fine.shape as [number, number, number, number];
  const coarse = zeros([batch, height / 2, width / 2, channels]);
  for (let i = 0; i < fine.data.length; i++) {
    const [channel, pixel] = [i % channels, Math.floor(i / channels)];
    const [column, row] = [pixel % width, Math.floor(pixel / width)];
    coarse.data[((row >> 1) * (width / 2) + (column >> 1)) * channels + channel]! += fine.data[i]!;
  }
  return coarse;
}

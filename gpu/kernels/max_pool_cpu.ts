/**
 * Max pooling and its gradient as plain loops: the definition of what max_pool.ts computes. Of equal maxima the last
 * one wins.
 */

import { type Dense, zeros } from "../dense.ts";
import { windowsCpu } from "./window_cpu.ts";

/** The attributes of tfjs's kernels MaxPool and MaxPoolGrad. */
export interface MaxPoolAttrs {
  readonly filterSize: readonly [height: number, width: number];
  readonly strides: readonly [down: number, across: number];
  readonly pad: "same" | "valid";
}

/** The largest value of each window: [batch, outHeight, outWidth, channels] for x [batch, height, width, channels]. */
export function maxPoolCpu(x: Dense, attrs: MaxPoolAttrs): Dense<Float64Array> {
  const { shape, winners } = winnersOf(x, attrs);
  return { shape, data: Float64Array.from(winners, (at) => x.data[at]!) };
}

/** The gradient of x, the kernel's `input`: each window's dy goes to the element that won it. */
export function maxPoolGradientCpu(
  { dy, input }: { readonly dy: Dense; readonly input: Dense },
  attrs: MaxPoolAttrs,
): Dense<Float64Array> {
  const dx = zeros(input.shape);
  for (const [window, at] of winnersOf(input, attrs).winners.entries()) dx.data[at]! += dy.data[window]!;
  return dx;
}

/** The index in x of each window's last maximum. */
function winnersOf(x: Dense, { filterSize, strides, pad }: MaxPoolAttrs): { shape: number[]; winners: number[] } {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const rows = windowsCpu(height, { window: filterSize[0], stride: strides[0], pad });
  const columns = windowsCpu(width, { window: filterSize[1], stride: strides[1], pad });
  const winners: number[] = [];
  for (let image = 0; image < batch; image++) {
    for (let outY = 0; outY < rows.count; outY++) {
      for (let outX = 0; outX < columns.count; outX++) {
        for (let c = 0; c < channels; c++) {
          let [most, winner] = [-Infinity, -1];
          for (let i = 0; i < filterSize[0]; i++) {
            for (let j = 0; j < filterSize[1]; j++) {
              const [inY, inX] = [outY * strides[0] + i - rows.before, outX * strides[1] + j - columns.before];
              if (inY < 0 || inY >= height || inX < 0 || inX >= width) continue;
              const at = ((image * height + inY) * width + inX) * channels + c;
              if (x.data[at]! >= most) [most, winner] = [x.data[at]!, at];
            }
          }
          winners.push(winner);
        }
      }
    }
  }
  return { shape: [batch, rows.count, columns.count, channels], winners };
}

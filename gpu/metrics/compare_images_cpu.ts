/**
 * The scores of compare_images.ts by definition: L1, PSNR and SSIM of each pair, in double precision. What the kernel
 * gives must be this within rounding.
 */

import type { ImagePair, ImageScores, PairScores } from "./compare_images.ts";
import { l1 } from "./l1_cpu.ts";
import type { MetricOptions, RgbImage } from "./pair_cpu.ts";
import { psnr } from "./psnr_cpu.ts";
import { centredSsim, ssim, ssimMap } from "./ssim_cpu.ts";

export { l1 } from "./l1_cpu.ts";
export type { MetricOptions, RgbImage } from "./pair_cpu.ts";
export { psnr } from "./psnr_cpu.ts";
export { centredSsim, ssim, type SsimMap, ssimMap } from "./ssim_cpu.ts";

/**
 * Compares each pair.
 *
 * @param pairs images of `width` × `height` pixels
 * @returns one entry a pair, in order
 * @throws {TypeError} if an array has the wrong length
 * @throws {RangeError} if an image is smaller than SSIM's window of 11×11
 */
export function compareImagesCpu(
  { pairs, width, height }: { pairs: readonly ImagePair[]; width: number; height: number },
): PairScores[] {
  return pairs.map(({ a, b, mask }) => {
    const [x, y] = [{ width, height, data: a }, { width, height, data: b }];
    const nothing = { l1: NaN, psnr: NaN, ssim: NaN };
    return {
      full: scores(x, y, {}),
      masked: mask.some((weight) => weight > 0) ? scores(x, y, { mask }) : nothing,
      centredSsim: centredSsim(ssimMap(x, y), mask),
    };
  });
}

function scores(a: RgbImage, b: RgbImage, options: MetricOptions): ImageScores {
  return { l1: l1(a, b, options), psnr: psnr(a, b, options), ssim: ssim(a, b, options) };
}

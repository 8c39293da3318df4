/** The peak signal-to-noise ratio of two images, by definition: in double precision, pixel after pixel. */

import { checkPair, meanOverPixels, type MetricOptions, type RgbImage } from "./pair_cpu.ts";
import { psnrOfError } from "./psnr.ts";

/**
 * Peak signal-to-noise ratio in dB for a peak of 1: 10 · log10(1 / MSE), where the mean squared error is over pixels
 * and channels of this one image. Infinity for equal images; higher is better. A table's PSNR is the mean of these over
 * faces, not the PSNR of the mean error.
 *
 * @throws {TypeError} if the sizes differ
 * @throws {RangeError} if the mask is empty
 */
export function psnr(a: RgbImage, b: RgbImage, options: MetricOptions = {}): number {
  checkPair(a, b, options);
  return psnrOfError(meanOverPixels(a, b, { ...options, term: (d) => d * d }));
}

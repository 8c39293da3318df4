/** The mean absolute difference of two images, by definition: in double precision, pixel after pixel. */

import { checkPair, meanOverPixels, type MetricOptions, type RgbImage } from "./pair_cpu.ts";

/**
 * Mean absolute difference of RGB values in 0..1, over pixels and channels. 0 for equal images; lower is better.
 *
 * @throws {TypeError} if the sizes differ
 * @throws {RangeError} if the mask is empty
 */
export function l1(a: RgbImage, b: RgbImage, { mask }: MetricOptions = {}): number {
  const options = mask === undefined ? {} : { mask };
  checkPair(a, b, options);
  return meanOverPixels(a, b, { ...options, term: Math.abs });
}

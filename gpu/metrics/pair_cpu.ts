/**
 * What the definitions of L1, PSNR and SSIM share: the pair of images, the mask that weighs their pixels, and a mean
 * over them.
 */

/** An image as numbers. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `3·width·height` values in 0..1: rows from the top, RGB after RGB. */
  readonly data: Float32Array;
}

/** Where a metric looks. */
export interface MetricOptions {
  /**
   * Weight of each pixel, height × width, 0..1, row by row from the top. Absent: the full frame, every pixel with
   * weight 1.
   */
  readonly mask?: Float32Array;
}

/**
 * Throws unless two images and a mask can be compared.
 *
 * @throws {TypeError} if the sizes or the array lengths differ
 * @throws {RangeError} if the mask weighs every pixel with 0, for then a mean over it means nothing
 */
export function checkPair(a: RgbImage, b: RgbImage, { mask }: MetricOptions): void {
  if (a.width !== b.width || a.height !== b.height) {
    throw new TypeError(`Cannot compare a ${a.width}×${a.height} image with a ${b.width}×${b.height} one`);
  }
  const pixels = a.width * a.height;
  if (a.data.length !== 3 * pixels || b.data.length !== 3 * pixels) {
    throw new TypeError(
      `Cannot compare images: ${a.data.length} and ${b.data.length} values, but 3·${pixels} are needed`,
    );
  }
  if (mask === undefined) return;
  if (mask.length !== pixels) throw new TypeError(`Cannot use a mask of ${mask.length} values for ${pixels} pixels`);
  if (!mask.some((weight) => weight > 0)) throw new RangeError("Cannot compare images over a mask without a pixel");
}

/** Weighted mean over pixels and channels of `term(a − b)`, in double precision. */
export function meanOverPixels(
  a: RgbImage,
  b: RgbImage,
  { mask, term }: MetricOptions & { term(d: number): number },
): number {
  let sum = 0, weights = 0;
  for (let pixel = 0; pixel < a.width * a.height; pixel++) {
    const weight = mask?.[pixel] ?? 1;
    if (weight === 0) continue;
    weights += weight;
    for (let k = 3 * pixel; k < 3 * pixel + 3; k++) sum += weight * term((a.data[k] as number) - (b.data[k] as number));
  }
  return sum / (3 * weights);
}

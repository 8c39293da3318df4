/**
 * Structural similarity (Wang, Bovik, Sheikh, Simoncelli, 2004). "SSIM" names a family whose members differ by 0.02 on
 * the same pair. This one has a Gaussian window of 11×11 with σ 1.5, population covariance, K1 0.01, K2 0.03 and values
 * in 0..1 (L = 1). It counts the windows that lie wholly inside the image, takes each channel by itself, and then the
 * mean of the three. `tf.image.ssim` gives the same, and so does scikit-image with `gaussian_weights=True`,
 * `use_sample_covariance=False`, `sigma=1.5` and `data_range=1`.
 */

import { checkPair, type MetricOptions, type RgbImage } from "./pair_cpu.ts";

/** Side of the window in pixels. */
const SSIM_WINDOW = 11;
const SIGMA = 1.5;
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;

/** The 11 weights of the Gaussian, sum 1. */
const SSIM_WEIGHTS: readonly number[] = gaussian();

/**
 * SSIM at each window's centre, mean over the channels: (width − 10) × (height − 10) values in −1..1, row by row from
 * the top.
 */
export interface SsimMap {
  readonly width: number;
  readonly height: number;
  readonly data: Float64Array;
}

/**
 * Mean SSIM over the windows inside the image, or, with a mask, over those of them that meet a pixel of weight above 0.
 * A window that meets the mask reaches up to 10 pixels beyond it. 1 for equal images; higher is better.
 *
 * @throws {TypeError} if the sizes differ
 * @throws {RangeError} if the mask is empty or the image is smaller than a window
 */
export function ssim(a: RgbImage, b: RgbImage, options: MetricOptions = {}): number {
  checkPair(a, b, options);
  const map = ssimMap(a, b);
  const counted = options.mask === undefined ? undefined : windowsMeeting(options.mask, a);
  let sum = 0, count = 0;
  for (let i = 0; i < map.data.length; i++) {
    if (counted !== undefined && counted[i] === 0) continue;
    sum += map.data[i] as number;
    count++;
  }
  return sum / count;
}

/**
 * Mean of a map over a mask of the images: each window counts with the weight of its middle pixel. NaN if no middle has
 * weight.
 *
 * @param mask weights of the images' pixels, (height + 10) × (width + 10) of the map
 */
export function centredSsim({ width, height, data }: SsimMap, mask: Float32Array): number {
  const reach = (SSIM_WINDOW - 1) / 2;
  let sum = 0, total = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const weight = mask[(y + reach) * (width + 2 * reach) + x + reach] as number;
      sum += weight * (data[y * width + x] as number);
      total += weight;
    }
  }
  return sum / total;
}

/**
 * The SSIM of every window inside the image.
 *
 * @throws {TypeError} if the sizes differ
 * @throws {RangeError} if the image is smaller than a window
 */
export function ssimMap(a: RgbImage, b: RgbImage): SsimMap {
  checkPair(a, b, {});
  const { width, height } = valid(a);
  const data = new Float64Array(width * height);
  for (let channel = 0; channel < 3; channel++) {
    const x = plane(a, channel), y = plane(b, channel);
    const size = { width: a.width, height: a.height };
    const meanX = blur(x, size), meanY = blur(y, size);
    const meanXX = blur(x.map((v) => v * v), size), meanYY = blur(y.map((v) => v * v), size);
    const meanXY = blur(x.map((v, i) => v * (y[i] as number)), size);
    for (let i = 0; i < data.length; i++) {
      const mx = meanX[i] as number, my = meanY[i] as number;
      const varX = (meanXX[i] as number) - mx * mx, varY = (meanYY[i] as number) - my * my;
      const cov = (meanXY[i] as number) - mx * my;
      data[i] = (data[i] as number) +
        ((2 * mx * my + C1) * (2 * cov + C2)) / ((mx * mx + my * my + C1) * (varX + varY + C2)) / 3;
    }
  }
  return { width, height, data };
}

/**
 * 1 for each window (row by row, as in `SsimMap`) that holds a pixel with weight above 0, else 0.
 *
 * @param mask height × width weights
 */
function windowsMeeting(mask: Float32Array, size: { width: number; height: number }): Uint8Array {
  const { width, height } = valid(size);
  // A pixel's sum over a row of 11, then over a column of 11: above 0 exactly if a pixel in the window is.
  const rows = new Uint8Array(width * size.height);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < width; x++) {
      const row = mask.subarray(y * size.width + x, y * size.width + x + SSIM_WINDOW);
      rows[y * width + x] = row.some((weight) => weight > 0) ? 1 : 0;
    }
  }
  const counted = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < SSIM_WINDOW; k++) counted[y * width + x]! |= rows[(y + k) * width + x] as number;
    }
  }
  return counted;
}

function gaussian(): number[] {
  const weights = Array.from({ length: SSIM_WINDOW }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * SIGMA ** 2)));
  const sum = weights.reduce((s, w) => s + w, 0);
  return weights.map((w) => w / sum);
}

function valid({ width, height }: { width: number; height: number }): { width: number; height: number } {
  if (width < SSIM_WINDOW || height < SSIM_WINDOW) {
    throw new RangeError(
      `Cannot compute SSIM of ${width}×${height} pixels: the window is ${SSIM_WINDOW}×${SSIM_WINDOW}`,
    );
  }
  return { width: width - SSIM_WINDOW + 1, height: height - SSIM_WINDOW + 1 };
}

function plane(image: RgbImage, channel: number): Float64Array {
  return Float64Array.from({ length: image.width * image.height }, (_, i) => image.data[3 * i + channel] as number);
}

function blur(x: Float64Array, size: { width: number; height: number }): Float64Array {
  const { width, height } = valid(size);
  const rows = new Float64Array(width * size.height);
  for (let y = 0; y < size.height; y++) {
    for (let u = 0; u < width; u++) {
      let sum = 0;
      for (let k = 0; k < SSIM_WINDOW; k++) sum += (SSIM_WEIGHTS[k] as number) * (x[y * size.width + u + k] as number);
      rows[y * width + u] = sum;
    }
  }
  const out = new Float64Array(width * height);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      let sum = 0;
      for (let k = 0; k < SSIM_WINDOW; k++) sum += (SSIM_WEIGHTS[k] as number) * (rows[(v + k) * width + u] as number);
      out[v * width + u] = sum;
    }
  }
  return out;
}

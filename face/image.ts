/** Images in memory, and reading between their pixels. */
import type { Pixels } from "./pixels.ts";

/** An image as numbers: `height` × `width` × 3, rows from the top, RGB, each 0..1, sRGB-encoded as in the file. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** Length `3·width·height`, pixel (x, y) starts at `3·(y·width + x)`. Its centre is at (x+0.5, y+0.5). */
  readonly data: Float32Array;
}

/**
 * A black image of the given size, or one over `data` (not copied).
 *
 * @throws RangeError if `data` does not have `3·width·height` values.
 */
export function createImage(
  size: { width: number; height: number },
  data: Float32Array = new Float32Array(3 * size.width * size.height),
): RgbImage {
  if (data.length !== 3 * size.width * size.height) {
    throw new RangeError(
      `An image of ${size.width}×${size.height} needs ${3 * size.width * size.height} values, not ${data.length}`,
    );
  }
  return { width: size.width, height: size.height, data };
}

/**
 * Adds `weight` × the bilinearly sampled colour at (x, y), in the image's own units, to `out[at..at+2]`. Coordinates
 * are in pixels with centres at +0.5; outside the image the nearest edge pixel is read.
 */
export function addBilinear(
  image: Pixels,
  sample: { x: number; y: number; weight: number; out: Float32Array; at: number },
): void {
  const { width, height, data } = image;
  const { out, at, weight } = sample;
  const x = Math.min(Math.max(sample.x - 0.5, 0), width - 1);
  const y = Math.min(Math.max(sample.y - 0.5, 0), height - 1);
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const fx = x - x0;
  const fy = y - y0;
  const dx = x0 + 1 < width ? 3 : 0;
  const dy = y0 + 1 < height ? 3 * width : 0;
  const base = 3 * (y0 * width + x0);
  for (let c = 0; c < 3; c++) {
    const top = data[base + c]! * (1 - fx) + data[base + dx + c]! * fx;
    const bottom = data[base + dy + c]! * (1 - fx) + data[base + dy + dx + c]! * fx;
    out[at + c] = out[at + c]! + weight * (top * (1 - fy) + bottom * fy);
  }
}

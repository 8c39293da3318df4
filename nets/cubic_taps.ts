/**
 * How Pillow reduces or enlarges an axis with `BICUBIC`: a cubic of Keys (1981, a = −0.5), which widens when it
 * shrinks, whose weights are of the pixels that there are, and sum to 1.
 */
import type { Taps } from "./resample_taps.ts";

/**
 * The weights of some pixels of an axis that is resampled.
 *
 * @param size pixels of the axis
 * @param options.resized how many it is resampled to
 * @param options.start the first that is wanted, and how many; those outside of 0..resized have no weights: black
 */
export function cubicTaps(
  size: number,
  { resized, start, count }: { resized: number; start: number; count: number },
): Taps {
  const step = size / resized;
  const stretch = Math.max(1, step);
  const reach = 2 * stretch;
  const width = 2 * Math.ceil(reach) + 1;
  const first = new Int32Array(count);
  const weights = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    if (start + i < 0 || start + i >= resized) continue;
    const centre = (start + i + 0.5) * step;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(size, Math.trunc(centre + reach + 0.5));
    const values = Array.from({ length: high - low }, (_, k) => cubic((low + k - centre + 0.5) / stretch));
    const sum = values.reduce((total, value) => total + value, 0);
    first[i] = low;
    for (const [k, value] of values.entries()) weights[i * width + k] = value / sum;
  }
  return { width, first, weights };
}

function cubic(place: number): number {
  const x = Math.abs(place);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

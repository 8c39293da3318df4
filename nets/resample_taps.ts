/**
 * Resampling to the sizes that networks ask for: a triangle filter that widens when it shrinks (so nothing aliases), on
 * pixel centres at +0.5, separable, hence two small sparse matrices. resample_cpu.ts applies them to images,
 * resample.ts to tensors.
 */
import type { SparseMatrix } from "@ftim/gpu/sparse-matrix";

/**
 * A rectangle in pixels, edges and not centres; it may lie partly or wholly outside of the image and have fractions.
 */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** What lies outside of the image: its nearest edge pixel, or 0. */
export type Border = "edge" | "zero";

/** A stretch of an axis: `length` pixels from `start` on an axis of `size` pixels. */
export interface Span {
  size: number;
  start: number;
  length: number;
}

/** The weights of one axis. */
export interface Taps {
  /** Weights per output pixel. */
  width: number;
  /** First input pixel of each output pixel; taps outside of the image have weight 0. */
  first: Int32Array;
  weights: Float32Array;
}

/** The square around a box's centre whose side is `margin` times the box's longer side. */
export function squareAround({ left, top, width, height }: Box, margin: number): Box {
  const side = Math.max(width, height) * margin;
  return { left: left + (width - side) / 2, top: top + (height - side) / 2, width: side, height: side };
}

/**
 * The matrix `count × size` that resamples a stretch of an axis to `count` pixels. With border "edge" every row sums to
 * 1.
 *
 * @throws {RangeError} If the span or count is not positive.
 */
export function interpolationMatrix(
  span: Span,
  { count, border = "edge" }: { count: number; border?: Border },
): SparseMatrix {
  const { width, first, weights } = taps(span, count, border);
  const offsets = new Uint32Array(count + 1);
  const entries = new Uint32Array(weights.length);
  const kept = new Float32Array(weights.length);
  let entry = 0;
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < width; k++) {
      const weight = weights[i * width + k] as number;
      if (weight === 0) continue;
      entries[entry] = (first[i] as number) + k;
      kept[entry++] = weight;
    }
    offsets[i + 1] = entry;
  }
  return { rows: count, cols: span.size, offsets, indices: entries.slice(0, entry), weights: kept.slice(0, entry) };
}

/**
 * The weights that resample a stretch of an axis to `count` pixels.
 *
 * @throws {RangeError} If the span or count is not positive.
 */
export function taps({ size, start, length }: Span, count: number, border: Border): Taps {
  if (!(size > 0 && length > 0 && count > 0)) {
    throw new RangeError(`Cannot resample ${length} of ${size} pixels to ${count}`);
  }
  const step = length / count;
  const radius = Math.max(1, step);
  const width = Math.min(size, Math.ceil(2 * radius) + 1);
  const first = new Int32Array(count);
  const weights = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const centre = start + (i + 0.5) * step - 0.5;
    const low = Math.ceil(centre - radius);
    const high = Math.floor(centre + radius);
    const origin = Math.min(Math.max(0, low), size - width);
    first[i] = origin;
    let total = 0;
    for (let p = low; p <= high; p++) total += Math.max(0, 1 - Math.abs(p - centre) / radius);
    for (let p = low; p <= high; p++) {
      const weight = Math.max(0, 1 - Math.abs(p - centre) / radius) / total;
      if (border === "zero" && (p < 0 || p >= size)) continue;
      const at = i * width + Math.min(Math.max(p, 0), size - 1) - origin;
      weights[at] = (weights[at] as number) + weight;
    }
  }
  return { width, first, weights };
}

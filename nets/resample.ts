/**
 * Resampling to the sizes that networks ask for: a triangle filter that widens when it shrinks (so nothing aliases), on
 * pixel centres at +0.5, separable, hence two small sparse matrices. The CPU applies them to images, the GPU to
 * tensors: tfjs's own `resizeBilinear` has wrong gradients with `halfPixelCenters`.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { RgbImage } from "../face/image.ts";
import { alongAxis } from "@ftim/gpu/ops/along-axis";
import type { SparseMatrix } from "@ftim/gpu/sparse-cpu";
import type { Tfjs } from "@ftim/gpu/backend";

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

interface Taps {
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
 * Cuts a box out of an image and resamples it to `width × height`.
 *
 * @throws {RangeError} If the box or the size is not positive.
 */
export function resample(
  image: RgbImage,
  { box, width, height, border = "edge" }: { box?: Box; width: number; height: number; border?: Border },
): RgbImage {
  const { left, top, width: boxWidth, height: boxHeight } = box ??
    { left: 0, top: 0, width: image.width, height: image.height };
  const horizontal = taps({ size: image.width, start: left, length: boxWidth }, width, border);
  const vertical = taps({ size: image.height, start: top, length: boxHeight }, height, border);
  const firstRow = Math.min(...vertical.first);
  const lastRow = Math.min(image.height, Math.max(...vertical.first) + vertical.width);

  const rows = new Float32Array(Math.max(0, lastRow - firstRow) * width * 3);
  for (let y = firstRow, to = 0; y < lastRow; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      let from = (y * image.width + (horizontal.first[x] as number)) * 3;
      for (let k = x * horizontal.width; k < (x + 1) * horizontal.width; k++, from += 3) {
        const weight = horizontal.weights[k] as number;
        if (weight === 0) continue;
        for (let c = 0; c < 3; c++) rows[to + c] = (rows[to + c] as number) + weight * (image.data[from + c] as number);
      }
    }
  }
  const data = new Float32Array(width * height * 3);
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < vertical.width; k++) {
      const weight = vertical.weights[y * vertical.width + k] as number;
      if (weight === 0) continue;
      const from = ((vertical.first[y] as number) - firstRow + k) * stride;
      for (let i = 0; i < stride; i++) {
        data[y * stride + i] = (data[y * stride + i] as number) + weight * (rows[from + i] as number);
      }
    }
  }
  return { width, height, data };
}

/**
 * Cuts the same box out of every image of a batch and resamples it on the GPU; differentiable.
 *
 * @param x `[B, H, W, C]`
 * @returns `[B, height, width, C]`; `x` itself if nothing is to do
 */
export function resizeTensor(
  tf: Tfjs,
  x: tfjs.Tensor4D,
  { box, height, width, border = "edge" }: { box?: Box; height: number; width: number; border?: Border },
): tfjs.Tensor4D {
  const [, inHeight, inWidth] = x.shape;
  const from = box ?? { left: 0, top: 0, width: inWidth, height: inHeight };
  const whole = from.left === 0 && from.top === 0 && from.width === inWidth && from.height === inHeight;
  if (whole && inHeight === height && inWidth === width) return x;
  const down = interpolationMatrix({ size: inHeight, start: from.top, length: from.height }, { count: height, border });
  const across = interpolationMatrix({ size: inWidth, start: from.left, length: from.width }, { count: width, border });
  return tf.tidy(() =>
    alongAxis(tf, alongAxis(tf, x, { matrix: down, axis: 1 }), { matrix: across, axis: 2 }) as tfjs.Tensor4D
  );
}

/** Images of one size as a batch `[B, H, W, 3]` on the GPU. */
export function stackImages(tf: Tfjs, images: readonly RgbImage[]): tfjs.Tensor4D {
  return tf.tidy(() =>
    tf.stack(images.map(({ data, height, width }) => tf.tensor3d(data, [height, width, 3]))) as tfjs.Tensor4D
  );
}

function taps({ size, start, length }: Span, count: number, border: Border): Taps {
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

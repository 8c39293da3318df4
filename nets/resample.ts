/**
 * Resampling of tensors on the GPU, see resample_taps.ts. tfjs's own `resizeBilinear` has wrong gradients with
 * `halfPixelCenters`.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { RgbImage } from "../face/image.ts";
import { alongAxis } from "@ftim/gpu/ops/along-axis";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { type Border, type Box, interpolationMatrix } from "./resample_taps.ts";

/**
 * Cuts the same box out of every image of a batch and resamples it on the GPU; differentiable.
 *
 * @param x `[B, H, W, C]`
 * @returns `[B, height, width, C]`; `x` itself if nothing is to do
 */
export function resample(
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

/** Images of one size as a batch `[B, H, W, 3]` on the device: one upload. */
export function stackImages(tf: Tfjs, images: readonly RgbImage[]): tfjs.Tensor4D {
  const { height, width } = images[0]!;
  const values = new Float32Array(images.length * height * width * 3);
  for (const [i, { data }] of images.entries()) values.set(data, i * height * width * 3);
  return tf.tensor4d(values, [images.length, height, width, 3]);
}

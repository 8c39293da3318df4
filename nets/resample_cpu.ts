/**
 * Resampling of images in plain loops: the reference of resample.ts and crop_photographs.ts, and the input of an ONNX
 * network that runs on the CPU (network_input.ts).
 */
import type { RgbImage } from "../face/image.ts";
import type { Pixels } from "../face/pixels.ts";
import { type Border, type Box, taps } from "./resample_taps.ts";

/**
 * Cuts a box out of an image, of floats or bytes, and resamples it to `width × height`.
 *
 * @throws {RangeError} If the box or the size is not positive.
 */
export function resampleCpu(
  image: Pixels,
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
  const full = image.data instanceof Uint8Array ? 255 : 1;
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < vertical.width; k++) {
      const weight = (vertical.weights[y * vertical.width + k] as number) / full;
      if (weight === 0) continue;
      const from = ((vertical.first[y] as number) - firstRow + k) * stride;
      for (let i = 0; i < stride; i++) {
        data[y * stride + i] = (data[y * stride + i] as number) + weight * (rows[from + i] as number);
      }
    }
  }
  return { width, height, data };
}

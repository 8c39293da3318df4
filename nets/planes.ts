/** An image in the layout of ONNX models. */
import type { RgbImage } from "../face/image.ts";

/** Normalisation `(x − mean) / deviation` of values in 0..1: one number for all channels or one each (R, G, B). */
export interface Normalisation {
  mean: number | readonly [number, number, number];
  deviation: number | readonly [number, number, number];
}

/** Mean and deviation of ImageNet's colours, for RGB in 0..1. */
export const IMAGENET: Normalisation = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/** Channel planes `[3, H, W]`, R first, normalised. */
export function planes({ data, width, height }: RgbImage, { mean, deviation }: Normalisation): Float32Array {
  const size = width * height;
  const result = new Float32Array(3 * size);
  for (let c = 0; c < 3; c++) {
    const m = typeof mean === "number" ? mean : mean[c] as number;
    const d = typeof deviation === "number" ? deviation : deviation[c] as number;
    for (let i = 0; i < size; i++) result[c * size + i] = ((data[3 * i + c] as number) - m) / d;
  }
  return result;
}

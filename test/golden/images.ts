import type { RgbImage } from "../../face/image.ts";

/** The image pair and mask of test/golden/images.py, value for value. */
export function goldenPair(
  { width, height, amplitude }: { width: number; height: number; amplitude: number },
): { a: RgbImage; b: RgbImage; mask: Float32Array } {
  const a = new Float32Array(3 * width * height), b = new Float32Array(3 * width * height);
  const mask = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = x - Math.floor(width / 2), dy = y - Math.floor(height / 2);
      mask[y * width + x] = dx * dx * 4 + dy * dy * 2 < Math.floor(width * width / 4) ? 1 : 0;
      for (let c = 0; c < 3; c++) {
        const i = 3 * (y * width + x) + c;
        const value = (x * 3 + y * 2 + c * 40 + ((Math.floor(x / 7) + Math.floor(y / 5)) % 2) * 60) % 256;
        const noisy = value + hash(i) % (2 * amplitude + 1) - amplitude + (x > Math.floor(width / 2) ? 4 : 0);
        a[i] = value / 255;
        b[i] = Math.min(255, Math.max(0, noisy)) / 255;
      }
    }
  }
  return { a: { width, height, data: a }, b: { width, height, data: b }, mask };
}

/** Wellons' lowbias32: a whole number, well mixed, from a whole number. */
export function hash(n: number): number {
  let x = n >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x >>> 0;
}

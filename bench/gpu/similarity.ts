// L1, PSNR and SSIM of 64 pairs of 224² on the device beside the package ssim.js, which works on grey levels in JavaScript.

import { compareImages } from "../../gpu/metrics/compare_images.ts";
import { createImage } from "../../face/image.ts";
import { ssim } from "../../face/metrics/ssim.ts";
import { ssim as peer } from "ssim.js";
import { type Lab, rounded, type Row, timeAsync } from "./lab.ts";
import { CROP, picture } from "./scene.ts";

const COUNT = 64;

/** Milliseconds for all pairs, and how far ours is from the definition in double precision. */
export async function benchSimilarity({ gpu }: Lab): Promise<Row> {
  const mask = new Float32Array(CROP * CROP).fill(1);
  const images = Array.from({ length: COUNT }, (_, i) => [picture(i), picture(i + 1)] as const);
  const pairs = images.map(([a, b]) => ({ a, b, mask }));
  const size = { width: CROP, height: CROP };
  const scores = await compareImages(gpu, { pairs, ...size });
  const errors = scores.slice(0, 4).map(({ full }, i) =>
    Math.abs(full.ssim - ssim(createImage(size, pairs[i]!.a), createImage(size, pairs[i]!.b)))
  );
  const ours = await timeAsync(() => compareImages(gpu, { pairs, ...size }), { rounds: 5 });
  const bytes = images.map((pair) => pair.map(toImageData));
  // Its two variants with the Gaussian window of Wang's paper and equal results; its default is another index.
  const theirs = (variant: "original" | "fast") =>
    timeAsync(() => {
      for (const [a, b] of bytes) peer(a!, b!, { ssim: variant, downsample: false });
      return Promise.resolve();
    }, { rounds: 1 });
  const [fast, original] = [await theirs("fast"), await theirs("original")];
  return {
    work: `L1, PSNR and SSIM of ${COUNT} pairs of ${CROP}²`,
    "ours ms": rounded(ours, 0),
    "ssim.js fast ms": rounded(fast, 0),
    "ssim.js original ms": rounded(original, 0),
    speedup: rounded(fast / ours, 1),
    "largest error": Math.max(...errors),
  };
}

/** As ssim.js wants it: RGBA bytes. */
function toImageData(pixels: Float32Array): { data: Uint8ClampedArray; width: number; height: number } {
  const data = new Uint8ClampedArray(4 * CROP * CROP);
  pixels.forEach((value, i) => data[4 * Math.floor(i / 3) + i % 3] = Math.round(255 * value));
  return { data, width: CROP, height: CROP };
}

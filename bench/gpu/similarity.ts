/**
 * L1, PSNR and SSIM of 64 pairs of 224² on the device beside the package ssim.js, which has SSIM alone, in JavaScript,
 * and of one channel: it makes an image grey. Ours is of three channels, so ssim.js is timed twice: on the images (a
 * third of the work), and on each channel by itself (the same work).
 */

import { compareImages } from "@ftim/gpu/metrics";
import { createImage } from "../../face/image.ts";
import { ssim } from "@ftim/gpu/metrics-cpu";
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
  const bytes = images.map((pair) => pair.map((pixels) => toImageData(pixels)));
  const channels = [0, 1, 2].flatMap((c) => images.map((pair) => pair.map((pixels) => toImageData(pixels, c))));
  // Its two variants with the Gaussian window of Wang's paper and equal results; its default is another index.
  const theirs = (inputs: typeof bytes, variant: "original" | "fast") =>
    timeAsync(() => {
      for (const [a, b] of inputs) peer(a!, b!, { ssim: variant, downsample: false });
      return Promise.resolve();
    }, { rounds: 2 });
  const [fast, original] = [await theirs(bytes, "fast"), await theirs(bytes, "original")];
  const perChannel = await theirs(channels, "fast");
  return {
    work: `L1, PSNR and SSIM of ${COUNT} pairs of ${CROP}²`,
    "ours ms": rounded(ours, 0),
    "ssim.js fast, grey ms": rounded(fast, 0),
    "ssim.js original, grey ms": rounded(original, 0),
    "ssim.js fast, each channel ms": rounded(perChannel, 0),
    "times grey": rounded(fast / ours, 1),
    "times each channel": rounded(perChannel / ours, 1),
    "largest error": Math.max(...errors),
  };
}

/**
 * As ssim.js wants it: RGBA bytes; of one channel alone, if it is named, which its conversion to grey leaves as it is.
 */
function toImageData(
  pixels: Float32Array,
  channel?: number,
): { data: Uint8ClampedArray; width: number; height: number } {
  const data = new Uint8ClampedArray(4 * CROP * CROP);
  for (let i = 0; i < CROP * CROP; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = Math.round(255 * pixels[3 * i + (channel ?? c)]!);
  }
  return { data, width: CROP, height: CROP };
}

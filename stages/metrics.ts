/**
 * The evaluation of the paper's Section 4.2: one method's render, pasted over the photograph, against the photograph: L1, PSNR, SSIM and the
 * cosine of recognition embeddings. Called once a method, so that a new method or ablation measures nothing again but itself.
 *
 * Where the paper is silent: values are RGB in 0..1; PSNR is of each image; SSIM is defined in face/metrics/ssim.ts. Everything is measured twice: on
 * the face mask, which is the mesh in the photograph and the same for every method, and on the full frame, where the pasted background is equal for
 * all and flatters all. For the masked cosine both pictures are grey outside the mask, so that hair and background cannot vouch for the face.
 *
 * @module
 */
import { z } from "zod";
import type { RgbImage } from "../face/image.ts";
import type { ImageScores } from "../gpu/metrics/compare_images.ts";
import { defineStage } from "../pipeline/mod.ts";
import type { FaceScores } from "./tables/measurements.ts";

/**
 * Per face: crop (`<key>.png`), mask (`<key>.mask.png`), mesh and the method's `<key>.render.png` → `<key>.json`, a `FaceScores`.
 * `recognition`: the 1024-d network; `features`: the 512-d network, without which there is no second opinion.
 */
export const scoreMetrics = defineStage({
  name: "metrics",
  module: import.meta.url,
  inputs: {
    aligned: "aligned",
    unwrapped: "unwrapped",
    meshes: "meshes",
    reconstructions: "reconstructions",
    recognition: "assets",
    features: "assets?",
  },
  output: "metrics",
  each: ["aligned", "unwrapped", "meshes", "reconstructions"],
  batch: 4,
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-5 },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openGpu } = await import("../gpu/device.ts");
    const { openRecognitionScorer } = await import("./recognition_scores.ts");
    return { gpu: await openGpu(), scorer: await openRecognitionScorer(inputs) };
  },
  close: ({ scorer }) => scorer.dispose(),
  run: async ({ items, resource: { gpu, scorer } }) => {
    const { compareImages } = await import("../gpu/metrics/compare_images.ts");
    const { readImage } = await import("./photograph.ts");
    const { readMask, readMesh } = await import("./geometry.ts");
    for (const { key, inputs, out, skip } of items) {
      const photograph = await readImage(inputs.aligned, `${key}.png`);
      const mask = await readMask(inputs.unwrapped, key);
      const render = await readImage(inputs.reconstructions, `${key}.render.png`);
      checkSizes(key, { photograph, mask, render });
      if (!mask.some((weight) => weight > 0)) {
        skip(`${key}: the mask holds no pixel of the face`);
        continue;
      }
      const vertices = await readMesh(inputs.meshes, key);
      const { width, height } = photograph;
      const pairs = [{ a: render.data, b: photograph.data, mask }];
      const [image] = await compareImages(gpu, { pairs, width, height });
      const [whole] = await scorer.cosine1024(photograph, { pictures: [render], vertices });
      const [cut] = await scorer.cosine1024(greyOutside(photograph, mask), {
        pictures: [greyOutside(render, mask)],
        vertices,
      });
      const second = await scorer.cosine512?.(photograph, { pictures: [render], vertices });
      const measured: FaceScores = {
        face: key,
        maskShare: mask.reduce((sum, weight) => sum + weight, 0) / mask.length,
        masked: scores(image!.masked, cut!),
        full: { ...scores(image!.full, whole!), ...(second === undefined ? {} : { cosine512: second[0]! }) },
      };
      out.json(`${key}.json`, measured);
    }
    await gpu.assertHealthy("metrics");
  },
});

/** The picture where the mask is 1, mid-grey where it is 0. */
export function greyOutside(image: RgbImage, mask: Float32Array): RgbImage {
  const data = image.data.map((value, i) => 0.5 + (value - 0.5) * (mask[Math.floor(i / 3)] as number));
  return { width: image.width, height: image.height, data };
}

function scores(image: ImageScores, cosine: number): FaceScores["masked"] {
  return { ...image, psnr: image.psnr === Infinity ? null : image.psnr, cosine };
}

function checkSizes(
  key: string,
  { photograph, mask, render }: { photograph: RgbImage; mask: Float32Array; render: RgbImage },
): void {
  const { width, height } = photograph;
  if (mask.length !== width * height) {
    throw new TypeError(`${key}: the mask does not fit the crop of ${width}×${height}`);
  }
  if (render.width !== width || render.height !== height) {
    throw new TypeError(`${key}: the render is ${render.width}×${render.height}, the crop ${width}×${height}`);
  }
}

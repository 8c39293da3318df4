/**
 * The evaluation of the paper's Section 4.2: each method's render, pasted over the photograph, against the photograph: L1, PSNR, SSIM and the
 * cosine of recognition embeddings.
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
import type { Measurement, RegionScores } from "./tables/measurements.ts";
import { type Method, METHODS } from "./tables/methods.ts";

/**
 * Per face: crop (`<key>.png`), mask (`<key>.mask.png`), mesh and every method's `<key>.render.png` → `<key>.json`, a `Measurement`.
 * `recognition`: the 1024-d network; `features`: the 512-d network. A face that some method lacks is no item: means must be over
 * the same faces.
 */
export const scoreMetrics = defineStage({
  name: "metrics",
  module: import.meta.url,
  inputs: {
    aligned: "aligned",
    unwrapped: "unwrapped",
    meshes: "meshes",
    deca: "reconstructions",
    chen: "reconstructions",
    deng: "reconstructions",
    tran: "reconstructions",
    ours: "reconstructions",
    recognition: "assets",
    features: "assets",
  },
  output: "metrics",
  each: ["aligned", "unwrapped", "meshes", ...METHODS],
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
    const { readMesh } = await import("./geometry.ts");
    for (const { key, inputs, out, skip } of items) {
      const photograph = await readImage(inputs.aligned, `${key}.png`);
      const mask = maskOf(await readImage(inputs.unwrapped, `${key}.mask.png`));
      const renders = await Promise.all(METHODS.map((method) => readImage(inputs[method], `${key}.render.png`)));
      checkSizes(key, { photograph, mask, renders });
      if (!mask.some((weight) => weight > 0)) {
        skip(`${key}: the mask holds no pixel of the face`);
        continue;
      }
      const vertices = await readMesh(inputs.meshes, key);
      const { width, height } = photograph;
      const images = await compareImages(gpu, {
        pairs: renders.map(({ data }) => ({ a: data, b: photograph.data, mask })),
        width,
        height,
      });
      const whole = await scorer.cosine1024(photograph, { pictures: renders, vertices });
      const cut = await scorer.cosine1024(greyOutside(photograph, mask), {
        pictures: renders.map((render) => greyOutside(render, mask)),
        vertices,
      });
      const second = await scorer.cosine512(photograph, { pictures: renders, vertices });
      const rows = METHODS.map((method, i) => [method, {
        masked: scores(images[i]!.masked, cut[i]!),
        full: { ...scores(images[i]!.full, whole[i]!), cosine512: second[i]! },
      }]);
      const measurement: Measurement = {
        face: key,
        maskShare: mask.reduce((sum, weight) => sum + weight, 0) / mask.length,
        methods: Object.fromEntries(rows) as Record<Method, RegionScores>,
      };
      await out.json(`${key}.json`, measurement);
    }
    await gpu.assertHealthy("metrics");
  },
});

/** The first channel of a mask that was read as a picture. */
function maskOf({ data }: RgbImage): Float32Array {
  return Float32Array.from({ length: data.length / 3 }, (_, i) => data[3 * i] as number);
}

/** The picture where the mask is 1, mid-grey where it is 0. */
function greyOutside(image: RgbImage, mask: Float32Array): RgbImage {
  const data = image.data.map((value, i) => 0.5 + (value - 0.5) * (mask[Math.floor(i / 3)] as number));
  return { width: image.width, height: image.height, data };
}

function scores(image: ImageScores, cosine: number): RegionScores["masked"] {
  return { ...image, psnr: image.psnr === Infinity ? null : image.psnr, cosine };
}

function checkSizes(
  key: string,
  { photograph, mask, renders }: { photograph: RgbImage; mask: Float32Array; renders: readonly RgbImage[] },
): void {
  const { width, height } = photograph;
  if (mask.length !== width * height) {
    throw new TypeError(`${key}: the mask does not fit the crop of ${width}×${height}`);
  }
  for (const [i, render] of renders.entries()) {
    if (render.width !== width || render.height !== height) {
      throw new TypeError(
        `${key}: the render of "${METHODS[i]}" is ${render.width}×${render.height}, the crop ${width}×${height}`,
      );
    }
  }
}

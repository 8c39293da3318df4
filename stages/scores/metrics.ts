/**
 * The evaluation of the paper's Section 4.2: L1, PSNR, SSIM and the cosine of recognition embeddings of one method's
 * render, pasted over the photograph, with the photograph. It is called once a method, so that a new method or variant
 * measures only itself.
 *
 * What the paper does not print, we decide: values are RGB in 0..1; PSNR is of each image; SSIM is defined in
 * gpu/metrics/ssim_cpu.ts. Everything is measured twice: on the face mask, which is the mesh in the photograph and the
 * same for every method, and on the full frame, where the pasted background is equal for all methods and flatters all.
 * For the masked cosine both pictures are grey outside the mask, so that hair and background cannot vouch for the face.
 */
import { z } from "zod";
import type { RgbImage } from "../../face/image.ts";
import { defineStage } from "@ftim/pipeline";
import { type FaceScores, storable } from "./parts/measurements.ts";

/**
 * Per face: crop (`<key>.png`), mask (`<key>.mask.png`), mesh, embeddings and the method's `<key>.render.png` →
 * `<key>.json`, a `FaceScores`. `recognition`: the network that scores identity; `features`: the 512-d network, without
 * which there is no second opinion.
 */
export const scoreMetrics = defineStage({
  name: "metrics",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    unwrapped: "unwrapped",
    meshes: "meshes",
    reconstructions: "reconstructions",
    embeddings: "embeddings",
    topology: "assets",
    recognition: "assets",
    features: "assets?",
  },
  output: "metrics",
  each: ["crops", "unwrapped", "meshes", "reconstructions", "embeddings"],
  batch: 8,
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-5 },
  computes: {
    webgpu: "L1, PSNR, SSIM; the network that scores identity",
    onnxruntime: "the 512-d network (on a software adapter by its CPU provider, which is faster there)",
    cpu: "cosines: bookkeeping; on a software adapter cutting out for the 512-d network, beside the network",
  },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openGpu } = await import("@ftim/gpu/device");
    const { openRecognition } = await import("./parts/recognition.ts");
    return { gpu: await openGpu(), networks: await openRecognition(inputs) };
  },
  close: ({ networks }) => networks.dispose(),
  run: async ({ items, resource: { gpu, networks } }) => {
    const { cosine } = await import("../../face/metrics/cosine.ts");
    const { compareImages } = await import("@ftim/gpu/metrics");
    const { readImage } = await import("../faces/photograph.ts");
    const { readEmbeddings } = await import("./embed.ts");
    const { readMask, readMesh } = await import("../faces/geometry.ts");
    const read = async ({ key, inputs, out, skip }: typeof items[number]) => {
      const [photograph, mask, render, vertices, known] = await Promise.all([
        readImage(inputs.crops, `${key}.png`),
        readMask(inputs.unwrapped, key),
        readImage(inputs.reconstructions, `${key}.render.png`),
        readMesh(inputs.meshes, key),
        readEmbeddings(inputs.embeddings, key),
      ]);
      checkSizes(key, { photograph, mask, render });
      const { whole } = known;
      if (whole === undefined) throw new TypeError(`${key}.safetensors holds no embedding of the whole crop`);
      if (mask.some((weight) => weight > 0)) return [{ key, out, photograph, mask, render, vertices, known, whole }];
      skip(`${key}: the mask holds no pixel of the face`);
      return [];
    };
    const faces = (await Promise.all(items.map(read))).flat();
    for (const alike of Map.groupBy(faces, ({ render: { width, height } }) => `${width}×${height}`).values()) {
      const { width, height } = alike[0]!.render;
      const pairs = alike.map(({ render, photograph, mask }) => ({ a: render.data, b: photograph.data, mask }));
      const whole = alike.map(({ render, vertices }) => ({ picture: render, vertices }));
      const cut = alike.map(({ render, vertices, mask }) => ({ picture: render, vertices, mask }));
      // Together, as the second opinion may take longer than all the rest and have threads of its own.
      const [compared, vectors, seconds] = await Promise.all([
        compareImages(gpu, { pairs, width, height }),
        networks.embed([...whole, ...cut]),
        Promise.all(whole.map((look, i) => alike[i]!.known.second && networks.embedSecond?.(look))),
      ]);
      for (const [i, { key, out, mask, known, whole }] of alike.entries()) {
        const [image, second] = [compared[i]!, seconds[i]];
        const measured: FaceScores = {
          face: key,
          maskShare: mask.reduce((sum, weight) => sum + weight, 0) / mask.length,
          masked: { ...storable(image.masked), cosine: cosine(known.masked, vectors[alike.length + i]!) },
          full: {
            ...storable(image.full),
            cosine: cosine(whole, vectors[i]!),
            ...(second === undefined ? {} : { cosine512: cosine(known.second!, second) }),
          },
        };
        out.json(`${key}.json`, measured);
      }
    }
  },
});

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

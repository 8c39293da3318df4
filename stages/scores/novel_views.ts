/**
 * Scores that reward completion and not copying, which the paper lacks. A face is reconstructed from one view of a
 * triplet, rendered in the pose of another view of the same triplet, and compared with the photograph there. Turned far
 * enough, another view shows much that the first did not.
 *
 * The lit texture is carried over as it is, because in one capture the lamps keep their place about the head when the
 * camera moves. Geometry and mask are those of the view that is compared with, the same for every method, so that only
 * textures are judged. (A network of a comparator's authors has the same mask and geometry of its own, of that view as
 * well: `stages/methods/parts/network_views.ts`.) Most of another view was seen in the first, too, and is copied; so
 * the pixels that the other view reveals are scored once more by themselves, and of these, where that is known, those
 * that a third view saw.
 */
import { z } from "zod";
import { defineStage, type Tree } from "@ftim/pipeline";
import { storable } from "./parts/measurements.ts";
import type { NovelScores } from "./parts/novel_scores.ts";

/**
 * A method's textures of the views of triplets (`<view>.texture.png`), or its pictures (`<from>.to.<to>.render.png`) →
 * `novel.json`, a {@link NovelScores} for each ordered pair of views.
 */
export const scoreNovelViews = defineStage({
  name: "novel_views",
  module: import.meta.url,
  inputs: {
    triplets: "triplets",
    crops: "aligned",
    unwrapped: "unwrapped",
    meshes: "meshes",
    reconstructions: "reconstructions",
    embeddings: "embeddings",
    revealed: "revealed",
    third: "revealed?",
    topology: "assets",
    recognition: "assets",
  },
  output: "novel",
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-5 },
  computes: { webgpu: "rendering; L1, PSNR, SSIM; the network that scores identity", cpu: "cosines: bookkeeping" },
  resources: { gpu: true },
  run: async ({ inputs, out, skip, progress, signal }) => {
    const { openGpu } = await import("@ftim/gpu/device");
    const { compareImages } = await import("@ftim/gpu/metrics");
    const { cosine } = await import("../../face/metrics/cosine.ts");
    const { readEmbeddings } = await import("./embed.ts");
    const { otherViews } = await import("./parts/other_views.ts");
    const { countPixels, readRevealed } = await import("./parts/revealed_masks.ts");
    const { openRecognition } = await import("./parts/recognition.ts");
    const gpu = await openGpu();
    const networks = await openRecognition(inputs);
    const rows: NovelScores[] = [];
    try {
      for await (const views of otherViews(inputs, { skip, progress, signal })) {
        const { width, height } = views[0]!.photograph;
        const pictures = views.flatMap((view) => view.pictures.map((picture, i) => ({ ...view, picture, i })));
        const masksIn = (tree: Tree) => Promise.all(pictures.map(({ pairs, i }) => readRevealed(tree, pairs[i]!)));
        const masks = await Promise.all([inputs.revealed, inputs.third].map((tree) => tree ? masksIn(tree) : []));
        const shown = pictures.map(({ picture, photograph, mask }) => ({ a: picture.data, b: photograph.data, mask }));
        const within = masks.flatMap((masks, part) =>
          masks.flatMap((mask, k) => mask === null ? [] : [{ part, k, mask }])
        );
        const [compared, embedded, known] = await Promise.all([
          compareImages(gpu, {
            pairs: [...shown, ...within.map(({ k, mask }) => ({ ...shown[k]!, mask }))],
            width,
            height,
          }),
          networks.embed(pictures),
          Promise.all(views.map(async ({ key }) => [key, await readEmbeddings(inputs.embeddings, key)] as const)),
        ]);
        const [revealed, third] = [0, 1].map((wanted) =>
          new Map(within.flatMap(({ part, k, mask }, i) => {
            if (part !== wanted) return [];
            const { masked: { l1, psnr }, centredSsim: ssim } = compared[shown.length + i]!;
            const scores = storable({ l1, psnr, ssim: Number.isNaN(ssim) ? null : ssim });
            return [[k, { pixels: countPixels(mask), ...scores }]];
          }))
        );
        const photographs = new Map(known);
        for (const [k, { key, pairs, i }] of pictures.entries()) {
          const { from, to, identity } = pairs[i]!;
          rows.push({
            identity,
            from: from.key,
            to: key,
            turn: Math.abs(to.yaw - from.yaw),
            ...storable(compared[k]!.masked),
            cosine: cosine(photographs.get(key)!.masked, embedded[k]!),
            revealed: revealed!.get(k) ?? null,
            ...(inputs.third && { third: third!.get(k) ?? null }),
          });
        }
      }
    } finally {
      await networks.dispose();
    }
    out.json("novel.json", rows);
  },
});

/**
 * A completed texture against the true one, texel by texel, which real photographs do not allow. The true textures are
 * those that `synthesize` rendered the captures with, in the same UV map. Texels that the view showed and texels that
 * it did not are scored apart.
 *
 * What the source portrait of a head did not show is mirrored in its true texture (docs/protocol.md).
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { storable } from "./parts/measurements.ts";
import type { UvScores } from "./parts/uv_scores.ts";

/**
 * A method's textures (`<view>.texture.png`) and the true ones (`textures/<identity>/<expression>.texture.png`) →
 * `uv.json`, a {@link UvScores} for each view. Views of which the method has no texture, and views from behind that the
 * filter let pass, are skipped by name.
 */
export const scoreUvTruth = defineStage({
  name: "uv_truth",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    unwrapped: "unwrapped",
    reconstructions: "reconstructions",
    truth: "synthetic",
    topology: "assets",
    known: "known?",
  },
  output: "uv_scores",
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-5 },
  computes: { webgpu: "L1, PSNR, SSIM", cpu: "which texels were seen: bookkeeping" },
  resources: { gpu: true },
  run: async ({ inputs, out, skip, signal }) => {
    const { openGpu } = await import("@ftim/gpu/device");
    const { compareImages } = await import("@ftim/gpu/metrics");
    const { texturePairs } = await import("./parts/true_textures.ts");
    const gpu = await openGpu();
    const rows: UvScores[] = [];
    for await (const views of texturePairs(inputs, { skip, signal })) {
      const compared = views.flatMap(({ texture, truth, parts }) =>
        [parts.seen, parts.unseen, parts.all, parts.known].map((mask) => ({ a: texture.data, b: truth.data, mask }))
      );
      const { width, height } = views[0]!.texture;
      const scores = (await compareImages(gpu, { pairs: compared, width, height })).map(({ masked }, i) =>
        compared[i]!.mask.includes(1) ? storable(masked) : null
      );
      for (const [i, { identity, key, yaw }] of views.entries()) {
        const [seen, unseen, all, known] = scores.slice(4 * i, 4 * i + 4);
        rows.push({ identity, face: key, yaw, seen: seen!, unseen: unseen!, all: all!, known: known! });
      }
    }
    out.json("uv.json", rows);
  },
});

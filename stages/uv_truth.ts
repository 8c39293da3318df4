/**
 * A completed texture against the true one, texel by texel: what no published work on real photographs can score. The true textures are those
 * that `synthesize` rendered the captures with, in the same UV map; texels that the view showed and texels that it did not are scored apart.
 *
 * A texel counts as seen where its visibility is at least a half, as unseen where it is below a twentieth; between the two it is neither.
 *
 * @module
 */
import { z } from "zod";
import { defineStage } from "../pipeline/mod.ts";
import type { AlignedFace } from "./align.ts";
import { storable } from "./tables/measurements.ts";
import type { UvScores } from "./tables/uv_scores.ts";

/**
 * A method's textures (`<view>.texture.png`) and the true ones (`textures/<identity>/<expression>.texture.png`) → `uv.json`, a {@link UvScores}
 * for each view. Views of which the method has no texture, and views from behind that the filter let pass, are skipped by name.
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
  },
  output: "uv_scores",
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-5 },
  resources: { gpu: true },
  run: async ({ inputs, out, skip, signal }) => {
    const { uvMap } = await import("../face/uv_map.ts");
    const { openGpu } = await import("../gpu/device.ts");
    const { compareImages } = await import("../gpu/metrics/compare_images.ts");
    const { readSeen, readTopology } = await import("./geometry.ts");
    const { readImage } = await import("./photograph.ts");
    const gpu = await openGpu();
    const topology = await readTopology(inputs.topology);
    const rows: UvScores[] = [];
    const ending = ".texture.png";
    for (const path of inputs.unwrapped.paths.filter((path) => path.endsWith(ending))) {
      signal.throwIfAborted();
      const key = path.slice(0, -ending.length);
      if (!inputs.reconstructions.has(path)) {
        skip(key, "the method has no texture of it");
        continue;
      }
      const { identity, expression, angles } = await inputs.crops.json<AlignedFace>(`${key}.json`);
      if (identity === null || angles === null) {
        throw new Error(`${key}: identity and angles of a made capture are known`);
      }
      const { width: size, data: texture } = await readImage(inputs.reconstructions, path);
      const { data: truth } = await readImage(inputs.truth, `textures/${identity}/${expression}.texture.png`);
      if (truth.length !== texture.length) {
        throw new TypeError(
          `${key}: the true texture has ${truth.length / 3} texels, the completed one ${texture.length / 3}`,
        );
      }
      const { visibility } = await readSeen(inputs.unwrapped, key);
      const { inside } = uvMap(topology, size);
      const part = (belongs: (visibility: number) => boolean) =>
        visibility.map((value, i) => inside[i] !== 0 && belongs(value) ? 1 : 0);
      const masks = [part((v) => v >= 0.5), part((v) => v < 0.05), part(() => true)];
      const [seen, unseen, all] = (await compareImages(gpu, {
        pairs: masks.map((mask) => ({ a: texture, b: truth, mask })),
        width: size,
        height: size,
      })).map(({ masked }, i) => masks[i]!.some((weight) => weight > 0) ? storable(masked) : null);
      rows.push({ identity, face: key, yaw: angles.yaw, seen: seen!, unseen: unseen!, all: all! });
    }
    await gpu.assertHealthy("uv_truth");
    out.json("uv.json", rows);
  },
});

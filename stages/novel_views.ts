/**
 * Scores that reward completion and not copying, which the paper lacks: a face is reconstructed from one view of a triplet, rendered in the pose
 * of another view of the same triplet, and compared with the photograph there. Most of what another view shows was not seen in the first.
 *
 * The lit texture is carried over as it is: in one capture the lamps keep their place about the head when the camera moves. Geometry and mask are those of
 * the view that is compared with, the same for every method, so that only textures are judged.
 *
 * @module
 */
import { z } from "zod";
import { defineStage } from "../pipeline/mod.ts";
import { storable } from "./tables/measurements.ts";
import type { NovelScores } from "./tables/novel_scores.ts";
import type { Triplets } from "./triplets.ts";

/** A method's textures of the views of triplets (`<view>.texture.png`) → `novel.json`, a {@link NovelScores} for each ordered pair of views. */
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
    topology: "assets",
    recognition: "assets",
  },
  output: "novel",
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-5 },
  resources: { gpu: true },
  run: async ({ inputs, out, skip, progress, signal }) => {
    const { pictureOperator } = await import("../face/render_picture.ts");
    const { openGpu } = await import("../gpu/device.ts");
    const { compareImages } = await import("../gpu/metrics/compare_images.ts");
    const { cosine } = await import("../face/metrics/cosine.ts");
    const { readEmbeddings } = await import("./embed.ts");
    const { readMask, readMesh, readTopology } = await import("./geometry.ts");
    const { readImage } = await import("./photograph.ts");
    const { overlay } = await import("./reconstruction.ts");
    const { greyOutside, openRecognition } = await import("./recognition.ts");
    const { viewPairs } = await import("./view_pairs.ts");
    const gpu = await openGpu();
    const topology = await readTopology(inputs.topology);
    const networks = await openRecognition(inputs);
    const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
    const targets = [...Map.groupBy(viewPairs(triplets), ({ to }) => to.key)];
    const rows: NovelScores[] = [];
    try {
      for (const [done, [key, pairs]] of targets.entries()) {
        signal.throwIfAborted();
        const usable = pairs.filter(({ from }) => inputs.reconstructions.has(`${from.key}.texture.png`));
        for (const { from } of pairs) {
          if (!usable.some((pair) => pair.from === from)) skip(`${from.key}.to.${key}`, `${from.key} has no texture`);
        }
        if (!inputs.meshes.has(`${key}.safetensors`) || usable.length === 0) continue;
        const photograph = await readImage(inputs.crops, `${key}.png`);
        const { width, height } = photograph;
        const mask = await readMask(inputs.unwrapped, key);
        const vertices = await readMesh(inputs.meshes, key);
        const textures = await Promise.all(
          usable.map(({ from }) => readImage(inputs.reconstructions, `${from.key}.texture.png`)),
        );
        const operator = pictureOperator(vertices, { topology, size: textures[0]!.width, width, height });
        const pictures = textures.map((texture) => overlay(photograph, { operator, texture: texture.data }));
        const compared = await compareImages(gpu, {
          pairs: pictures.map(({ data }) => ({ a: data, b: photograph.data, mask })),
          width,
          height,
        });
        const { masked } = await readEmbeddings(inputs.embeddings, key);
        const embedded = await networks.embed1024(pictures.map((picture) => greyOutside(picture, mask)), vertices);
        for (const [i, { from, to, identity }] of usable.entries()) {
          rows.push({
            identity,
            from: from.key,
            to: key,
            turn: Math.abs(to.yaw - from.yaw),
            ...storable(compared[i]!.masked),
            cosine: cosine(masked, embedded[i]!),
          });
        }
        progress(done + 1, targets.length);
      }
    } finally {
      await networks.dispose();
    }
    await gpu.assertHealthy("novel_views");
    out.json("novel.json", rows);
  },
});

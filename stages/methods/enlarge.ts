/**
 * Stage `enlarge`: reconstructed faces at full size. The networks see a crop of 224² and a texture of 256², as in the
 * paper, and a face in a photograph has more pixels. Here the seen part of the texture is read from the photograph's
 * own pixels; the completed part is the network's, enlarged (`face/full_textures.ts`). The overlay is drawn at the
 * crop's own size in the photograph. The paper stops at the size of its network.
 *
 * A texture that was fused of several photographs (`fuse.ts`) takes its detail from all of them.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { keysOf } from "../faces/keys_of.ts";
import type { CutView } from "./parts/full_faces.ts";

/**
 * Photographs and the reconstructions of their faces → `<key>.{render,texture,albedo}.png` at full size. Textures are
 * continued beyond their chart, because viewers blend texels across its border. `fused`: what `fuse` made of them.
 */
export const enlargeFaces = defineStage({
  name: "enlarge",
  module: import.meta.url,
  inputs: {
    images: "images",
    crops: "aligned",
    unwrapped: "unwrapped",
    regressed: "regressed",
    reconstructions: "reconstructions",
    topology: "assets",
    fused: "unwrapped?",
  },
  output: "reconstructions",
  params: z.strictObject({
    /** Side of the textures in texels. */
    size: z.int().min(16).max(4096).default(1024),
  }),
  // On one adapter; on another a level here and there may be rounded the other way.
  determinism: "bitwise",
  computes: { webgpu: "cutting out, textures at full size, rendering", cpu: "decoding and encoding: file formats" },
  resources: { gpu: true },
  run: async ({ inputs, params: { size }, out, progress, signal }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { disposeFullChart, fullChart } = await import("../../face/full_textures.ts");
    const { readTopology } = await import("../faces/geometry.ts");
    const { readPixels } = await import("../faces/photograph.ts");
    const { readAhead } = await import("../faces/read_ahead.ts");
    const { cutView, disposeViews, fullFace, viewsOf } = await import("./parts/full_faces.ts");
    const [tf, topology] = await Promise.all([openTfjs(), readTopology(inputs.topology)]);
    const keys = keysOf(inputs.reconstructions, ".texture.png");
    const views = (await Promise.all(keys.map((key) => viewsOf(key, inputs)))).flat();
    const photographs = [...Map.groupBy(views, ({ photograph }) => photograph)];
    const read = async ([name, seen]: typeof photographs[number]) => {
      return { image: await readPixels(inputs.images, `${name}.png`), seen };
    };
    /** Of faces some of whose photographs have not been looked at yet. */
    const waiting = new Map<string, CutView[]>();
    const chart = fullChart(tf, topology, size);
    let done = 0;
    try {
      for await (const some of readAhead(photographs, { count: 1, read })) {
        signal.throwIfAborted();
        for (const { seen, image } of some) {
          for (const view of seen) {
            const all = [...waiting.get(view.key) ?? [], await cutView(tf, view, { image, inputs, size })];
            waiting.set(view.key, all);
            if (all.length < view.of) continue;
            waiting.delete(view.key);
            try {
              const files = await fullFace(tf, all, { inputs, chart });
              for (const [name, bytes] of files) out.write(`${view.key}.${name}.png`, bytes);
            } finally {
              disposeViews(all);
            }
            progress(++done, keys.length);
          }
        }
      }
    } finally {
      for (const all of waiting.values()) disposeViews(all);
      disposeFullChart(chart);
    }
  },
});

/**
 * Which pixels another view reveals: in its face mask, of points that the first view did not see and it does. Both
 * views' visibilities are rendered with the other view's geometry. The masks are the same for every method, so they are
 * made once.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { Portrait, PortraitPicture } from "../../face/render_portraits.ts";
import type { Triplets } from "../data/triplets.ts";

/** The view's own visibility, then that of each other view, then what is known, if that is told. */
type Maps = readonly [Float32Array, ...Float32Array[]];

/** What `pairs.json` holds: ordered pairs of views that have meshes, and how many reveal enough to be scored. */
export interface RevealingPairs {
  readonly pairs: number;
  readonly revealing: number;
}

/** Views at once; a view is three to eight pictures. */
const AT_ONCE = 8;

/**
 * Triplets with their meshes, masks and visibilities → `<from>.to.<to>.mask.png` for each ordered pair of views that
 * reveals enough to be scored, and `pairs.json` ({@link RevealingPairs}). With `known`, the visibilities of the
 * portraits that heads were made of (`known_texels.ts`), only what they showed counts.
 *
 * A view whose mesh is absent or no mesh reveals nothing.
 */
export const findRevealed = defineStage({
  name: "revealed",
  module: import.meta.url,
  inputs: { triplets: "triplets", unwrapped: "unwrapped", meshes: "meshes", topology: "assets", known: "known?" },
  output: "revealed",
  params: z.strictObject({}),
  // On one adapter; on another a pixel here and there may be decided the other way.
  determinism: "bitwise",
  computes: { webgpu: "rendering", cpu: "thresholds: bookkeeping" },
  resources: { gpu: true },
  run: async ({ inputs, out, log, progress, signal }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { renderPortraits } = await import("../../face/render_portraits.ts");
    const { greyOf, readMesh, readTopology, readVisibility } = await import("../faces/geometry.ts");
    const { encodeGreyPng, readImage } = await import("../faces/photograph.ts");
    const { readAhead } = await import("../faces/read_ahead.ts");
    const { countPixels, LEAST_REVEALED, revealedName, revealedPixels } = await import("./parts/revealed_masks.ts");
    const { viewPairs } = await import("./parts/view_pairs.ts");
    const [tf, topology] = await Promise.all([openTfjs(), readTopology(inputs.topology)]);
    const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
    const has = (key: string) => inputs.meshes.has(`${key}.safetensors`) && inputs.unwrapped.has(`${key}.mask.png`);
    const pairs = viewPairs(triplets).filter(({ from, to }) => has(from.key) && has(to.key));
    const targets = [...Map.groupBy(pairs, ({ to }) => to.key)];
    const read = async ([key, pairs]: (typeof targets)[number]) => {
      const { identity, expression } = pairs[0]!;
      const [image, vertices, own, known, before] = await Promise.all([
        readImage(inputs.unwrapped, `${key}.mask.png`),
        readMesh(inputs.meshes, key),
        readVisibility(inputs.unwrapped, key),
        inputs.known && readVisibility(inputs.known, `${identity}/${expression}`),
        Promise.all(pairs.map(({ from }) => readVisibility(inputs.unwrapped, from.key))),
      ]);
      return { key, pairs, image, vertices, maps: [own, ...before, ...known === undefined ? [] : [known]] as Maps };
    };
    let [done, kept] = [0, 0];
    for await (const views of readAhead(targets, { count: AT_ONCE, read })) {
      signal.throwIfAborted();
      const sound = views.filter(({ vertices }) => vertices.every(Number.isFinite));
      for (const alike of Map.groupBy(sound, ({ image: { width, height } }) => `${width}×${height}`).values()) {
        const { image: { width, height }, maps: [{ length: texels }] } = alike[0]!;
        const portraits = alike.flatMap(({ key: name, vertices, maps }) =>
          maps.map((texture): Portrait => ({ name, vertices, texture }))
        );
        const rendered = await renderPortraits(tf, portraits, { topology, width, height, size: Math.sqrt(texels) });
        let first = 0;
        for (const { pairs, image, maps } of alike) {
          const [now, ...others] = rendered.slice(first, first += maps.length) as [
            PortraitPicture,
            ...PortraitPicture[],
          ];
          const shared = { coverage: now.coverage, now: now.data, known: others[pairs.length]?.data };
          const mask = greyOf(image);
          await Promise.all(pairs.map(async (pair, i) => {
            const data = revealedPixels({ mask, ...shared, before: others[i]!.data });
            if (countPixels(data) < LEAST_REVEALED) return;
            kept++;
            out.write(`${revealedName(pair)}.mask.png`, await encodeGreyPng({ width, height, data }));
          }));
        }
      }
      progress(done += views.length, targets.length);
    }
    // Views that hardly differ reveal nothing, which is a finding and no failure.
    out.json("pairs.json", { pairs: pairs.length, revealing: kept } satisfies RevealingPairs);
    log(`${kept} of ${pairs.length} pairs of views reveal at least ${LEAST_REVEALED} pixels`);
  },
});

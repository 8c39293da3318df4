/**
 * Of the pixels that another view reveals, those whose skin a third view of the same capture saw too. There it is known
 * what a method could have drawn that knew all views: what the third view saw (`third_textures.ts`). On photographs, of
 * which no true texture is known, that is the only oracle that is not the scored photograph itself.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { Portrait } from "../../face/render_portraits.ts";
import type { Triplets } from "../data/triplets.ts";

/** `thirds.json`: the third view of each pair that has a mask, by the pair's name. */
export type ThirdViews = Readonly<Record<string, string>>;

/** The file of the masks' third views. */
export const THIRD_VIEWS = "thirds.json";

/** Pairs at once; a pair is one to a few pictures. */
const AT_ONCE = 16;

/**
 * Triplets with their meshes and visibilities, and what each pair of views reveals → `<from>.to.<to>.mask.png` for each
 * pair of which a third view saw enough to be scored, and `thirds.json` ({@link ThirdViews}). The third view of a pair
 * is the one beside both in a triplet; of several, the one that saw the most.
 */
export const findThirdSeen = defineStage({
  name: "third_seen",
  module: import.meta.url,
  inputs: { triplets: "triplets", revealed: "revealed", unwrapped: "unwrapped", meshes: "meshes", topology: "assets" },
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
    const { countPixels, LEAST_REVEALED, revealedName, seenPixels } = await import("./parts/revealed_masks.ts");
    const { witnessedPairs } = await import("./parts/view_pairs.ts");
    const [tf, topology] = await Promise.all([openTfjs(), readTopology(inputs.topology)]);
    const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
    const pairs = witnessedPairs(triplets).flatMap((pair) => {
      const witnesses = pair.witnesses.filter((key) => inputs.unwrapped.has(`${key}.visibility.png`));
      const revealing = inputs.revealed.has(`${revealedName(pair)}.mask.png`);
      return revealing && witnesses.length > 0 ? [{ ...pair, witnesses }] : [];
    });
    const read = async ({ witnesses, ...pair }: (typeof pairs)[number]) => {
      const [image, vertices, maps] = await Promise.all([
        readImage(inputs.revealed, `${revealedName(pair)}.mask.png`),
        readMesh(inputs.meshes, pair.to.key),
        Promise.all(witnesses.map(async (key) => ({ key, map: await readVisibility(inputs.unwrapped, key) }))),
      ]);
      return { pair, image, vertices, maps };
    };
    const thirds: Record<string, string> = {};
    let done = 0;
    for await (const some of readAhead(pairs, { count: AT_ONCE, read })) {
      signal.throwIfAborted();
      for (const alike of Map.groupBy(some, ({ image: { width, height } }) => `${width}×${height}`).values()) {
        const { image: { width, height }, maps: [first] } = alike[0]!;
        const portraits = alike.flatMap(({ pair, vertices, maps }) =>
          maps.map(({ map }): Portrait => ({ name: pair.to.key, vertices, texture: map }))
        );
        const size = Math.sqrt(first!.map.length);
        const rendered = await renderPortraits(tf, portraits, { topology, width, height, size });
        let at = 0;
        for (const { pair, image, maps } of alike) {
          const revealed = greyOf(image);
          const seen = rendered.slice(at, at += maps.length).map(({ data, coverage }, i) => {
            const mask = seenPixels({ revealed, coverage, seen: data });
            return { key: maps[i]!.key, mask, count: countPixels(mask) };
          });
          const most = seen.reduce((best, one) => one.count > best.count ? one : best);
          if (most.count < LEAST_REVEALED) continue;
          thirds[revealedName(pair)] = most.key;
          out.write(`${revealedName(pair)}.mask.png`, await encodeGreyPng({ width, height, data: most.mask }));
        }
      }
      progress(done += some.length, pairs.length);
    }
    out.json(THIRD_VIEWS, thirds);
    log(`of ${pairs.length} pairs of views, ${Object.keys(thirds).length} reveal what a third view saw too`);
  },
});

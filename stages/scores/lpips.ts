/**
 * LPIPS of one method, wherever the other metrics are taken: of its renders of the test photographs, of its textures
 * rendered in other views, and of its textures beside the true ones. The paper prints no perceptual metric, and the
 * four that it prints forgive blur.
 *
 * It is a stage of its own so that all else runs where its network cannot be had (`data.lock`, collection `lpips`).
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { keysOf } from "../faces/keys_of.ts";
import type { LpipsScores } from "./parts/lpips_scores.ts";

/** What `distances` gives for one pair and two masks. */
type Row = [number | null, number | null];

/** Faces at once. */
const AT_ONCE = 8;

/**
 * The network (one file); crops, masks and the method's renders of the test photographs; and the method's textures or
 * pictures of held-out captures, with what `novel_views` and `uv_truth` read of them → `lpips.json`, an {@link
 * LpipsScores}. Without `reconstructions` the test photographs are left out.
 */
export const scoreLpips = defineStage({
  name: "lpips",
  module: import.meta.url,
  inputs: {
    network: "assets",
    crops: "aligned",
    unwrapped: "unwrapped",
    reconstructions: "reconstructions?",
    held_triplets: "triplets",
    held_crops: "aligned",
    held_unwrapped: "unwrapped",
    held_meshes: "meshes",
    held_reconstructions: "reconstructions",
    held_revealed: "revealed",
    held_third: "revealed?",
    topology: "assets",
    truth: "synthetic?",
    known: "known?",
  },
  output: "lpips_scores",
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-4 },
  computes: { webgpu: "rendering; the network, its maps and their means" },
  resources: { gpu: true },
  run: async ({ inputs, out, skip, progress, signal }) => {
    const { openLpips } = await import("../../nets/lpips.ts");
    const { readMask } = await import("../faces/geometry.ts");
    const { otherViews } = await import("./parts/other_views.ts");
    const { pictureWithin, readRevealed } = await import("./parts/revealed_masks.ts");
    const { readImage } = await import("../faces/photograph.ts");
    const { readAhead } = await import("../faces/read_ahead.ts");
    const { texturePairs } = await import("./parts/true_textures.ts");
    const network = await openLpips(await inputs.network.bytes(inputs.network.paths[0]!));
    const scores: LpipsScores = { faces: [], views: [], textures: [] };
    try {
      const ending = ".render.png";
      const { reconstructions } = inputs;
      const keys = reconstructions === undefined ? [] : keysOf(reconstructions, ending);
      const read = async (face: string) => {
        const [picture, target, mask] = await Promise.all([
          readImage(reconstructions!, face + ending),
          readImage(inputs.crops, `${face}.png`),
          readMask(inputs.unwrapped, face),
        ]);
        return { face, picture, target, masks: [mask, null] };
      };
      for await (const faces of readAhead(keys, { count: AT_ONCE, read })) {
        signal.throwIfAborted();
        const distances = await network.distances(faces) as Row[];
        for (const [i, { face }] of faces.entries()) {
          const [masked, full] = distances[i]!;
          scores.faces.push({ face, masked, full: full! });
        }
      }
      const held = {
        triplets: inputs.held_triplets,
        crops: inputs.held_crops,
        unwrapped: inputs.held_unwrapped,
        meshes: inputs.held_meshes,
        reconstructions: inputs.held_reconstructions,
        topology: inputs.topology,
      };
      for await (const views of otherViews(held, { skip, progress, signal })) {
        const pairs = views.flatMap(({ photograph: target, mask, pairs, pictures }) =>
          pictures.map((picture, i) => ({ ...pairs[i]!, picture, target, masks: [mask] }))
        );
        const trees = [inputs.held_revealed, inputs.held_third];
        const masks = await Promise.all(
          trees.map((tree) => Promise.all(tree ? pairs.map((pair) => readRevealed(tree, pair)) : [])),
        );
        const within = masks.flatMap((masks, part) =>
          masks.flatMap((mask, i) => {
            if (mask === null) return [];
            const { picture, target } = pairs[i]!;
            return [{ part, i, picture: pictureWithin(mask, { picture, other: target }), target, masks: [null] }];
          })
        );
        const distances = await network.distances([...pairs, ...within]);
        const [revealed, third] = [0, 1].map((wanted) =>
          new Map(within.flatMap(({ part, i }, k) => part === wanted ? [[i, distances[pairs.length + k]![0]!]] : []))
        );
        for (const [i, { identity, from, to }] of pairs.entries()) {
          scores.views.push({
            identity,
            from: from.key,
            to: to.key,
            turn: Math.abs(to.yaw - from.yaw),
            distance: distances[i]![0]!,
            revealed: revealed!.get(i) ?? null,
            ...(inputs.held_third && { third: third!.get(i) ?? null }),
          });
        }
      }
      if (inputs.truth !== undefined) {
        for await (
          const views of texturePairs({ ...held, truth: inputs.truth, known: inputs.known }, { skip, signal })
        ) {
          const distances = await network.distances(views.map(({ texture, truth, parts }) => ({
            picture: texture,
            target: truth,
            masks: [parts.unseen, parts.all, parts.known],
          })));
          for (const [i, { identity, key }] of views.entries()) {
            const [unseen, all, known] = distances[i]!;
            scores.textures.push({ identity, face: key, unseen: unseen!, all: all!, known: known! });
          }
        }
      }
    } finally {
      network.dispose();
    }
    out.json("lpips.json", scores);
  },
});

/**
 * LPIPS of one method, wherever the other metrics are taken: of its renders of the test photographs, of its textures
 * rendered in other views, and of its textures beside the true ones. The paper prints no perceptual metric, and the
 * four that it prints forgive blur.
 *
 * It is a stage of its own because the user has to get its network (`data.lock`, collection `lpips`). All else runs
 * without it.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { LpipsScores } from "./parts/lpips_scores.ts";

/** What `distances` gives for one picture and two masks. */
type Row = [[number | null, number | null]];

/**
 * The network (one safetensors file); crops, masks and the method's renders of the test photographs; and the method's
 * textures of held-out captures, with what `novel_views` and `uv_truth` read of them → `lpips.json`, an {@link
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
    topology: "assets",
    truth: "synthetic?",
  },
  output: "lpips_scores",
  params: z.strictObject({}),
  determinism: { atol: 1e-4, rtol: 1e-4 },
  computes: { webgpu: "the network and its maps", cpu: "rendering; not on WebGPU yet" },
  resources: { gpu: true },
  run: async ({ inputs, out, skip, progress, signal }) => {
    const { openGpu } = await import("@ftim/gpu/device");
    const { openLpips } = await import("../../nets/lpips.ts");
    const { readMask } = await import("../faces/geometry.ts");
    const { otherViews } = await import("./parts/other_views.ts");
    const { pictureWithin, readRevealed, revealedName } = await import("./parts/revealed_masks.ts");
    const { readImage } = await import("../faces/photograph.ts");
    const { texturePairs } = await import("./parts/true_textures.ts");
    const gpu = await openGpu();
    const network = await openLpips(await inputs.network.bytes(inputs.network.paths[0]!));
    const scores: LpipsScores = { faces: [], views: [], textures: [] };
    try {
      const ending = ".render.png";
      const { reconstructions } = inputs;
      for (const path of reconstructions?.paths.filter((path) => path.endsWith(ending)) ?? []) {
        signal.throwIfAborted();
        const face = path.slice(0, -ending.length);
        const mask = await readMask(inputs.unwrapped, face);
        const [render, photograph] = await Promise.all([
          readImage(reconstructions!, path),
          readImage(inputs.crops, `${face}.png`),
        ]);
        const [[masked, full]] = await network.distances([render], { target: photograph, masks: [mask, null] }) as Row;
        scores.faces.push({ face, masked, full: full! });
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
        for (const { key, photograph, mask, pairs, pictures } of views) {
          const revealed = await Promise.all(pairs.map((pair) => readRevealed(inputs.held_revealed, pair)));
          const within = revealed.flatMap((mask, i) =>
            mask === null ? [] : [[i, pictureWithin(mask, { picture: pictures[i]!, other: photograph })] as const]
          );
          const looked = [...pictures, ...within.map(([, picture]) => picture)];
          const distances = await network.distances(looked, { target: photograph, masks: [mask, null] });
          const apart = new Map(within.map(([i], k) => [i, distances[pictures.length + k]![1]!]));
          for (const [i, pair] of pairs.entries()) {
            const { identity, from, to } = pair;
            const distance = distances[i]![0] ?? null;
            if (distance === null) skip(revealedName(pair), "the mask holds no pixel of the face");
            else {
              const turn = Math.abs(to.yaw - from.yaw);
              scores.views.push({ identity, from: from.key, to: key, turn, distance, revealed: apart.get(i) ?? null });
            }
          }
        }
      }
      if (inputs.truth !== undefined) {
        const pairs = texturePairs({ ...held, truth: inputs.truth }, { skip, signal });
        for await (const views of pairs) {
          for (const { identity, key, texture, truth, parts } of views) {
            const masks = [parts.unseen, parts.all];
            const [[unseen, all]] = await network.distances([texture], { target: truth, masks }) as Row;
            scores.textures.push({ identity, face: key, unseen, all: all! });
          }
        }
      }
    } finally {
      network.dispose();
    }
    await gpu.assertHealthy("lpips");
    out.json("lpips.json", scores);
  },
});

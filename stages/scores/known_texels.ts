/**
 * What is known of the true textures of made heads. A portrait does not show all of a face; the rest of the texture
 * that the head was rendered with was mirrored by our own fill, which is no truth. Texels count as known where every
 * portrait that the head was made of showed them.
 */
import { defineStage } from "@ftim/pipeline";
import type { HeadPhotographs } from "../synthetic/synthesize.ts";

/**
 * The photographs of each head (`textures/photographs.json`) and the visibilities of their faces →
 * `<identity>/<expression>.visibility.png`: the least of them.
 */
export const knownTexels = defineStage({
  name: "known_texels",
  module: import.meta.url,
  inputs: { truth: "synthetic", unwrapped: "unwrapped" },
  output: "known",
  determinism: "bitwise",
  computes: { cpu: "the lesser of two maps: bookkeeping" },
  run: async ({ inputs: { truth, unwrapped }, out }) => {
    const { readVisibility } = await import("../faces/geometry.ts");
    const { encodeGreyPng } = await import("../faces/photograph.ts");
    const heads = await truth.json<HeadPhotographs[]>("textures/photographs.json");
    await Promise.all(heads.map(async ({ identity, expression, photographs }) => {
      const maps = await Promise.all(photographs.map((key) => readVisibility(unwrapped, key)));
      const data = maps.reduce((least, map) => least.map((value, i) => Math.min(value, map[i]!)));
      const size = Math.sqrt(data.length);
      const png = await encodeGreyPng({ width: size, height: size, data });
      out.write(`${identity}/${expression}.visibility.png`, png);
    }));
  },
});

/**
 * What a third view saw, in the place of a reconstruction: for a pair of views of a capture the texture that the third
 * one gives by itself. Its scores say how much completion could gain on the pixels that it saw (`third_seen.ts`); what
 * is left over is the meshes' error, and the light's.
 */
import { defineStage } from "@ftim/pipeline";
import { THIRD_VIEWS, type ThirdViews } from "./third_seen.ts";

/**
 * The third views of pairs (`thirds.json`) and the textures of all views without any completion
 * (`<key>.texture.png`) → `<from>.to.<to>.texture.png`, and the third views of those pairs (`thirds.json`), of which
 * there may be none. A pair whose third view has no texture is skipped by name.
 */
export const thirdTextures = defineStage({
  name: "third_textures",
  module: import.meta.url,
  inputs: { seen: "revealed", copies: "reconstructions" },
  output: "reconstructions",
  determinism: "bitwise",
  computes: { cpu: "copies of pictures: bookkeeping" },
  run: async ({ inputs: { seen, copies }, out, skip }) => {
    const shown: Record<string, string> = {};
    for (const [pair, third] of Object.entries(await seen.json<ThirdViews>(THIRD_VIEWS))) {
      const texture = `${third}.texture.png`;
      if (!copies.has(texture)) {
        skip(pair, `its third view, ${third}, has no texture`);
        continue;
      }
      shown[pair] = third;
      out.write(`${pair}.texture.png`, await copies.bytes(texture));
    }
    out.json(THIRD_VIEWS, shown satisfies ThirdViews);
  },
});

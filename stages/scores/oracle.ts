/**
 * The truth of made heads in the place of a reconstruction: what a method would give that knew the whole texture. No
 * method can; its scores in other views say how much completion could gain, and what is left over is the mesh's error.
 */
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";
import { keysOf } from "../faces/keys_of.ts";

/**
 * Faces and the true textures (`textures/<identity>/<expression>.texture.png`) → `<key>.texture.png`, the same picture
 * for each view of a head. A face whose head has no true texture is skipped by name.
 */
export const knownTextures = defineStage({
  name: "oracle",
  module: import.meta.url,
  inputs: { crops: "aligned", truth: "synthetic" },
  output: "reconstructions",
  determinism: "bitwise",
  computes: { cpu: "copies of pictures: bookkeeping" },
  run: async ({ inputs: { crops, truth }, out, skip }) => {
    for (const key of keysOf(crops, ".json")) {
      const { identity, expression } = await crops.json<AlignedFace>(`${key}.json`);
      const texture = `textures/${identity}/${expression}.texture.png`;
      if (truth.has(texture)) out.write(`${key}.texture.png`, await truth.bytes(texture));
      else skip(key, `there is no true texture ${texture}`);
    }
  },
});

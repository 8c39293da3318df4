/**
 * FTIM's first guess of each face's texture: what is seen, else its mirror image, else the template. It is part of the
 * network's input, and what the network's residual is added to where nothing was seen (`nets/ftim.ts`). The paper's
 * network has no such input.
 *
 * It is a stage of its own, because every training, every reconstruction and every variant of the ablation begins with
 * it.
 */
import { completeTexture } from "../../face/fill.ts";
import type { Topology } from "../../face/topology.ts";
import { defineStage } from "@ftim/pipeline";

/** Faces → `<key>.png`, the complete texture [S·S]. */
export const guessTextures = defineStage({
  name: "guess",
  module: import.meta.url,
  inputs: { unwrapped: "unwrapped", regressed: "regressed", model: "model", topology: "assets" },
  output: "guesses",
  each: ["unwrapped", "regressed"],
  batch: 8,
  determinism: "bitwise",
  computes: { cpu: "mirroring, colour matching, fill; not on WebGPU yet" },
  open: async ({ inputs }) => (await import("../faces/training_set.ts")).readFaceModel(inputs),
  run: async ({ items, resource: model }) => {
    const { readSeen } = await import("../faces/geometry.ts");
    const { encodePng } = await import("../faces/photograph.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { templateOf, toUnit } = await import("../faces/training_set.ts");
    const { topology, size } = model;
    await Promise.all(items.map(async ({ key, inputs, out }) => {
      const [regression, seen] = [await readRegression(inputs.regressed, key), await readSeen(inputs.unwrapped, key)];
      const { albedo, shading } = templateOf(regression, model);
      const template = shading();
      for (let i = 0; i < template.length; i++) template[i] = template[i]! * albedo[i]! / 255;
      const data = firstGuess(seen, { albedo: toUnit(albedo), template, topology });
      out.write(`${key}.png`, await encodePng({ width: size, height: size, data }));
    }));
  },
});

/**
 * The guess for one face. The light is taken out before and put back after, by subtraction of the template's as in the
 * paper, so the mirrored half is lit from its own side.
 *
 * - `seam`: beside what was seen the mirror image takes on its colours, or every silhouette would show as a line. A
 *   narrower band leaves a line beside noses that turn away.
 * - `cells`, `gainPrior`: without the light the halves hardly differ in colour, so their gains are coarse and near 1.
 *   What a shadow does to one half is not carried over to the other.
 * - `bound`: the mirrored half is held near the colours beside it, so that hair over one cheek does not lie over the
 *   other.
 * - `trust`: with less trust in grazing views the texture would be better still, but parts of what the photograph shows
 *   would give way to the mirror image.
 *
 * The other settings are those with the least error on the training captures. docs/protocol.md says which faces each
 * setting was chosen on.
 */
function firstGuess(
  { texture, visibility }: { texture: Float32Array; visibility: Float32Array },
  { albedo, template, topology }: { albedo: Float32Array; template: Float32Array; topology: Topology },
): Float32Array {
  const unlit = new Float32Array(texture.length);
  for (let i = 0; i < unlit.length; i++) unlit[i] = texture[i]! - template[i]! + albedo[i]!;
  const complete = completeTexture(unlit, visibility, {
    topology,
    template: albedo,
    feather: 2,
    trust: [0.25, 0.7],
    seam: 16,
    bound: 0.15,
    cells: 8,
    gainPrior: 0.1,
  });
  for (let i = 0; i < complete.length; i++) complete[i] = complete[i]! + template[i]! - albedo[i]!;
  return complete;
}

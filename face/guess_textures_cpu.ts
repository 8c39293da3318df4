/** The reference of guess_textures.ts, and its settings. */
import { type CompleteOptions, completeTexture } from "./fill.ts";
import type { Topology } from "./topology.ts";

/**
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
export const GUESS: Omit<CompleteOptions, "topology" | "template"> = {
  feather: 2,
  trust: [0.25, 0.7],
  seam: 16,
  bound: 0.15,
  cells: 8,
  gainPrior: 0.1,
};

/**
 * The guess for one face. The light is taken out before and put back after, by subtraction of the template's as in the
 * paper, so the mirrored half is lit from its own side.
 *
 * @param seen incomplete texture [S·S·3] and visibility [S·S]
 * @param template albedo and shading [S·S·3] each
 * @returns [S·S·3], not clamped
 * @throws {RangeError} if nothing was seen
 */
export function guessTexture(
  { texture, visibility }: { texture: Float32Array; visibility: Float32Array },
  { albedo, shading, topology }: { albedo: Float32Array; shading: Float32Array; topology: Topology },
): Float32Array {
  const change = albedo.map((value, i) => shading[i]! * value - value);
  const unlit = texture.map((value, i) => value - change[i]!);
  const complete = completeTexture(unlit, visibility, { topology, template: albedo, ...GUESS });
  return complete.map((value, i) => value + change[i]!);
}

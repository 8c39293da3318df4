/** How FTIM's first guess completes a texture: what guess_textures.ts and its reference share. */
import type { CompleteOptions } from "./complete_options.ts";

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
export const GUESS = {
  feather: 2,
  trust: [0.25, 0.7],
  seam: 16,
  bound: 0.15,
  cells: 8,
  gainPrior: 0.1,
} as const satisfies Omit<CompleteOptions, "topology" | "template">;

/** The reference of guess_textures.ts, plain loops over one face. Tests alone use it. */
import { completeTexture } from "./complete_textures_cpu.ts";
import { GUESS } from "./guess_settings.ts";
import type { Topology } from "./topology.ts";

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

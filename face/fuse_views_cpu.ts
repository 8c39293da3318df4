/** The reference of fuse_views.ts, and its settings. */
import { smoothstep } from "./box_filter.ts";

import { GUESS } from "./guess_textures_cpu.ts";
import { enlarge, pushPull } from "./push_pull.ts";

/** How views are weighed against each other, and brought to one tone. */
export const FUSION = {
  /**
   * The power of a view's pixels a texel in its weight. The best view has a texel nearly for itself, for meshes of two
   * photographs are never true to the texel, and a mean would show everything twice.
   */
  sharpness: 12,
  /**
   * So many times the reference's pixels a texel must have in another view to be as much that one's: eyes and mouth
   * should be of one photograph.
   */
  favour: 1.3,
  /** Cells of the map a side in which the tones of two views are compared. */
  cells: 16,
  /** A cell counts in full where both views saw so much of it. */
  overlap: 0.25,
} as const;

/** What one photograph shows of the face. */
export interface FusedViewCpu {
  /** The unwrapped texture less what its own light adds [S·S·3]. */
  readonly unlit: Float32Array;
  /** [S·S] */
  readonly visibility: Float32Array;
  /** Unit normals to its viewer [S·S·3]. */
  readonly normals: Float32Array;
  /** Pixels of the photograph that a unit of length in the crop has. */
  readonly density: number;
}

/**
 * Fuses views without light.
 *
 * @param reference index of the view whose tone all take on
 * @returns `unlit` [S·S·3], 0 where none saw anything; `visibility` [S·S], that of the view which saw the texel best;
 *   `shares` of each view [S·S], whose sum is 1 where some view saw something
 */
export function fuseViewsCpu(
  views: readonly FusedViewCpu[],
  reference: number,
): { unlit: Float32Array; visibility: Float32Array; shares: Float32Array[] } {
  const texels = views[0]!.visibility.length;
  const size = Math.sqrt(texels);
  const { sharpness, cells, overlap } = FUSION;
  const [least, full] = GUESS.trust!;
  const factors = viewFactors(views.map(({ density }) => density), reference);
  const trusts = views.map(({ visibility }) => visibility.map((value) => smoothstep(least, full, value)));
  const weights = views.map(({ visibility, normals }, v) =>
    visibility.map((seen, i) => seen * (Math.max(0, normals[3 * i + 2]!) * factors[v]!) ** sharpness)
  );
  const side = Math.ceil(size / cells);
  const tones = views.map(({ unlit }, v) => {
    const sums = new Float32Array(3 * cells * cells);
    const totals = new Float32Array(cells * cells);
    for (let i = 0; i < texels; i++) {
      const both = trusts[v]![i]! * trusts[reference]![i]!;
      const cell = Math.floor(Math.floor(i / size) / side) * cells + Math.floor(i % size / side);
      totals[cell] = totals[cell]! + both;
      for (let c = 0; c < 3; c++) {
        sums[3 * cell + c] = sums[3 * cell + c]! + both * (views[reference]!.unlit[3 * i + c]! - unlit[3 * i + c]!);
      }
    }
    const means = sums.map((sum, i) => totals[Math.floor(i / 3)]! > 0 ? sum / totals[Math.floor(i / 3)]! : 0);
    const known = totals.map((total) => Math.min(1, total / (overlap * side * side)));
    return enlarge(pushPull(means, { weights: known, size: cells }), { from: cells, to: size });
  });
  const unlit = new Float32Array(3 * texels);
  const shares = views.map(() => new Float32Array(texels));
  for (let i = 0; i < texels; i++) {
    const sum = weights.reduce((sum, weight) => sum + weight[i]!, 0);
    if (sum === 0) continue;
    for (const [v, view] of views.entries()) {
      const share = weights[v]![i]! / sum;
      shares[v]![i] = share;
      for (let c = 3 * i; c < 3 * i + 3; c++) unlit[c] = unlit[c]! + share * (view.unlit[c]! + tones[v]![c]!);
    }
  }
  const visibility = new Float32Array(texels);
  for (const { visibility: one } of views) one.forEach((value, i) => visibility[i] = Math.max(visibility[i]!, value));
  return { unlit, visibility, shares };
}

/** What the pixels a texel of each view count for, 1 at most. */
export function viewFactors(densities: readonly number[], reference: number): number[] {
  const factors = densities.map((density, view) => density * (view === reference ? FUSION.favour : 1));
  return factors.map((factor) => factor / Math.max(...factors));
}

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
  /**
   * Cells of the map a side in which the tones of two views are compared. Finer ones carry what lies at the edge of a
   * view, hair and background, over all that it does not show.
   */
  cells: 4,
  /** Variance of what two lights differ in below which nothing is made of it. */
  noise: 1e-5,
  /** A cell counts in full where both views saw so much of it. */
  overlap: 0.25,
} as const;

/** What the pixels a texel of each view count for, 1 at most. */
export function viewFactors(densities: readonly number[], reference: number): number[] {
  const factors = densities.map((density, view) => density * (view === reference ? FUSION.favour : 1));
  return factors.map((factor) => factor / Math.max(...factors));
}

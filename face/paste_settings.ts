/** How completed parts fade out over their photograph. */
export const FADE = {
  /** Radius of the square in which the chart is looked at, in sides of the map. */
  border: 1 / 32,
  /** The chart's share of that square at which a texel begins to count, and counts in full: its border has a half. */
  within: [0.55, 1],
  /**
   * View-space normal z at which a texel begins to count, and counts in full: 60° and 26° from the camera. A mesh that
   * is off by a few pixels has hair or a wall on its far cheek, which must not be painted over with skin.
   */
  facing: [0.5, 0.9],
} as const;

/** How a texture is completed, on the device (complete_textures.ts) and in its reference. */
import type { Topology } from "./topology.ts";

/** Weight of a cell that the two halves do not share: enough to keep its gain of 1 where no cell has more to say. */
export const LEAST_OVERLAP = 1e-4;

/**
 * How far from what was seen, in texels, the colours of the mirrored half are bounded, and how much the bound widens on
 * the way.
 */
export const BOUND = { radius: 40, widening: 0.05 } as const;

/** How a texture is completed. */
export interface CompleteOptions {
  readonly topology: Topology;
  /** Width of the fade at the border of what was seen, in texels. Default 6. */
  readonly feather?: number;
  /** Visibility at which a texel begins to count as seen, and at which it counts in full. Default [0.25, 0.75]. */
  readonly trust?: readonly [number, number];
  /**
   * Width of the band beside what was seen, in texels, in which the mirrored half takes on its colours, so that the two
   * meet without a step. Default 0: only the coarse gains.
   */
  readonly seam?: number;
  /**
   * What is shown where neither half was seen, its colours bent smoothly so that they meet what was [size²·3]. Default:
   * nothing, so the bend is all.
   */
  readonly template?: Float32Array;
  /**
   * How far the mirrored half's colours may differ beside what was seen from the continuation of its colours, 0..1;
   * with the distance they may differ more. What lies over one cheek, such as hair, would otherwise lie over the other
   * cheek. Default: as far as they do.
   */
  readonly bound?: number;
  /** Cells a side of the map of colour gains between the two halves. Default 16. */
  readonly cells?: number;
  /** How far a gain is drawn to 1: by as much as a grey of full brightness on this share of its cell. Default 0.02. */
  readonly gainPrior?: number;
}

/**
 * Light on a face as nine spherical-harmonic bands per colour: image = albedo · shading. Order and constants are DECA's
 * (Feng et al. 2021, `decalib/utils/renderer.py`), so that its light codes can be used as they are. Normals are in view
 * space: x right, y up, z to the viewer.
 */

/** Bands of the basis. */
export const LIGHT_BANDS = 9;

/** What each band's polynomial is multiplied by. */
// deno-fmt-ignore
export const LIGHT_FACTORS = [
  0.2820948, 1.0233267, 1.0233267, 1.0233267, 0.8580855, 0.8580855, 0.8580855, 0.4290428, 0.2477080,
] as const;

/** The Gaussian prior of `fitLights`. Pulls are in units of the mean squared sample. */
export interface LightPrior {
  /**
   * Pull of the first order toward 0 (and, a thousand times weaker, of the ambient band toward shading 1). Default
   * 0.01, which keeps half-seen faces from inventing light behind them.
   */
  readonly ridge?: number;
  /**
   * How many times as much the second order is pulled. Default 16: skin passes on little of it (Ramamoorthi & Hanrahan
   * 2001, "On the relationship between radiance and irradiance"), and half a face cannot tell it from the first. A face
   * that is seen whole can: 1.
   */
  readonly secondOrder?: number;
  /**
   * How many times as much the channels' directional bands are pulled to their common mean: lamps differ in place and
   * strength, and little in colour. Default 10.
   */
  readonly tint?: number;
}

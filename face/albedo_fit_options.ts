/** How light and albedo are fitted, on the device (fit_albedos.ts) and in its reference. */

/** Neighbouring texels are no independent witnesses: a face's worth of samples counts as this many. */
export const WITNESSES = 500;

/** Settings of `fitAlbedos` and of the reference. */
export interface AlbedoFitOptions {
  /**
   * Variance of the image noise that the prior is weighed against; larger keeps the albedo nearer to the mean. Default
   * 0.0025.
   */
  noise?: number;
  /** How strongly the light is drawn to a plain ambient one, see `fitLight`. Default 0.01. */
  lightRidge?: number;
  /** Turns. Default 4. */
  turns?: number;
  /** Only every n-th texel is used. Default 7, which shares no factor with 256. */
  stride?: number;
  /**
   * Residuals beyond this (in colour units) are outliers and count less (Huber); Infinity switches it off. Default
   * Infinity.
   */
  huber?: number;
}

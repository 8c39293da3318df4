/** The numbers in the definition of `bestMatches`, on the device (best_matches.ts) and in its reference. */

/** Stretch of the exponent (Wang et al. 2018). */
export const STRETCH = 0.5;

/** What is added to the least distance, so that nothing is divided by 0 (Wang et al. 2018). */
export const EPSILON = 1e-5;

/** Logarithm of a similarity that nothing has. */
export const NONE = -1e30;

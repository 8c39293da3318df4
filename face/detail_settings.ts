/** What holds for displacements, on the device (fit_details.ts) and in its reference. */

/** Largest slope: steeper ones are no wrinkles but errors of the albedo. */
export const STEEPEST = 0.8;

/** Step of the finite difference of shading, in slope. */
export const STEP = 1e-3;

/** The one error of `reconstruct` that is the user's to mend. */

/** A photograph cannot be reconstructed, or not be written. The message says why and what to try. */
export class ReconstructError extends Error {
  override name = "ReconstructError";
}

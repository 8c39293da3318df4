/** The errors of `reconstruct` that are the user's to mend. */

/** A photograph cannot be reconstructed, or not be written. The message says why and what to try. */
export class ReconstructError extends Error {
  override name = "ReconstructError";
}

/** Whether the system, or Deno on its behalf, refuses access. */
export function isDenied(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
}

/** The triplets that a figure may show. */
import type { Triplets } from "../../data/triplets.ts";

/**
 * The triplets of some identities.
 *
 * @param otherwise what to say if there are none
 * @throws {Error} if there are none
 */
export function keptTriplets(
  all: Triplets,
  { identities, otherwise }: { readonly identities: ReadonlySet<string>; readonly otherwise: string },
): Triplets {
  const triplets = all.triplets.filter(({ identity }) => identities.has(identity));
  if (triplets.length === 0) throw new Error(otherwise);
  return { ...all, triplets };
}

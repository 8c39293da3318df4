/** Which photographs and portraits figures may show, and what is in them. */
import { type Artifact, pick } from "@ftim/pipeline";
import { asset } from "../stages/data/fetch.ts";
import { tripletsOfPersons } from "../stages/figures/triplets_of_persons.ts";
import { tripletsOfPortraits } from "../stages/figures/triplets_of_portraits.ts";
import type { HeldOutViews } from "./scoring.ts";

/** The font of all figures. */
export const font = () => asset("font/DejaVuSans.ttf");

/** What figures may show; of what is not named all. */
export interface ShownPictures {
  /** Photographs, by key. */
  readonly photographs?: readonly string[];
  /** Portraits that heads are made of. */
  readonly heads?: readonly string[];
  /** Persons that real views are of. */
  readonly persons?: readonly string[];
}

/** The faces of photographs that figures may show. */
export function showable(
  reconstructions: Artifact<"reconstructions">,
  shown: ShownPictures | undefined,
): Artifact<"reconstructions"> {
  return shown?.photographs === undefined
    ? reconstructions
    : pick(reconstructions, shown.photographs.map((key) => `${key}/`));
}

/** The views of triplets that figures may show; null if there are none. */
export function showableViews(
  { triplets, truth }: HeldOutViews,
  { heads, persons }: ShownPictures = {},
): Artifact<"triplets"> | null {
  if (persons !== undefined) {
    return persons.length === 0 ? null : tripletsOfPersons({ triplets }, { persons: [...persons] });
  }
  if (heads === undefined) return triplets;
  if (truth === undefined) throw new Error("Real heads are made of no portraits: name persons that figures may show");
  return tripletsOfPortraits({ triplets, heads: truth }, { portraits: [...heads] });
}

/** Which photographs and portraits figures may show, and what is in them. */
import { type Artifact, pick } from "@ftim/pipeline";
import { asset } from "../stages/data/fetch.ts";
import { tripletsOfPortraits } from "../stages/figures/triplets_of_portraits.ts";
import type { HeldOutViews } from "./scoring.ts";

/** The font of all figures. */
export const font = () => asset("font/DejaVuSans.ttf");

/** Photographs and portraits that figures may show, by key. */
export interface ShownPictures {
  readonly photographs: readonly string[];
  /** Portraits that heads are made of. */
  readonly heads: readonly string[];
}

/** The faces of photographs that figures may show. */
export function showable(
  reconstructions: Artifact<"reconstructions">,
  shown: ShownPictures | undefined,
): Artifact<"reconstructions"> {
  return shown === undefined ? reconstructions : pick(reconstructions, shown.photographs.map((key) => `${key}/`));
}

/** The views of heads that figures may show. */
export function showableViews(
  { triplets, truth }: HeldOutViews,
  shown: ShownPictures | undefined,
): Artifact<"triplets"> {
  if (shown === undefined) return triplets;
  if (truth === undefined) throw new Error("Real heads are made of no portraits, so figures show all or none of them");
  return tripletsOfPortraits({ triplets, heads: truth }, { portraits: [...shown.heads] });
}

/**
 * Stage `triplets_of_persons`: only the triplets of some persons. FaceScape lists who may be shown in a publication,
 * and figures show nobody else.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { Triplets } from "../data/triplets.ts";
import { keptTriplets } from "./parts/kept_triplets.ts";

/** Triplets → `triplets.json`, the same of these persons alone. It is an error if no triplet is left. */
export const tripletsOfPersons = defineStage({
  name: "triplets_of_persons",
  module: import.meta.url,
  inputs: { triplets: "triplets" },
  output: "triplets",
  params: z.strictObject({
    /** Identities, as the triplets name them. */
    persons: z.array(z.string()).min(1),
  }),
  determinism: "bitwise",
  computes: { cpu: "bookkeeping" },
  run: async ({ inputs, params: { persons }, out }) => {
    const all = await inputs.triplets.json<Triplets>("triplets.json");
    const otherwise = `No triplet is of a person that may be shown: ${persons.join(", ")}`;
    out.json("triplets.json", keptTriplets(all, { identities: new Set(persons), otherwise }));
  },
});

/**
 * Stage `triplets_of_portraits`: only the triplets of heads that are made of some portraits. A figure that is published
 * shows the portraits that its heads are made of, and not every licence allows that.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { Triplets } from "../data/triplets.ts";
import { keptTriplets } from "./parts/kept_triplets.ts";
import type { HeadPhotographs } from "../synthetic/synthesize.ts";

/**
 * Triplets of made heads, and which photographs they are made of (`textures/photographs.json`) → `triplets.json`, the
 * same without heads that have another portrait. It is an error if no triplet is left.
 */
export const tripletsOfPortraits = defineStage({
  name: "triplets_of_portraits",
  module: import.meta.url,
  inputs: { triplets: "triplets", heads: "synthetic" },
  output: "triplets",
  params: z.strictObject({
    /** Folders of the portraits, without a slash at the end. */
    portraits: z.array(z.string()).min(1),
  }),
  determinism: "bitwise",
  computes: { cpu: "bookkeeping" },
  run: async ({ inputs, params: { portraits }, out }) => {
    const all = await inputs.triplets.json<Triplets>("triplets.json");
    const heads = await inputs.heads.json<HeadPhotographs[]>("textures/photographs.json");
    const isAllowed = (photograph: string) => portraits.some((portrait) => photograph.startsWith(`${portrait}/`));
    const identities = new Set(
      heads.filter(({ photographs }) => photographs.every(isAllowed)).map(({ identity }) => identity),
    );
    const otherwise = `No triplet is of a head that is made of ${portraits.join(" or ")} alone: allow more portraits`;
    out.json("triplets.json", keptTriplets(all, { identities, otherwise }));
  },
});

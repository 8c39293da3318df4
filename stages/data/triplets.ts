/**
 * Stage `triplets`: three photographs of one identity with one expression, one from each yaw bin. The paper (Section
 * 3.1) sorts FaceScape's photographs into [−90°, −10°], [−10°, 10°] and [10°, 90°] by a pose network, forms 120k
 * triplets and picks 1.5k by hand; a CSV of hand-picked triplets replays such a choice.
 *
 * A view that is turned by more than 90° is refused whatever the bins are. Where the paper is silent: a yaw on the edge
 * of two bins belongs to the frontal one; triplets are drawn at random (seeded), one identity after the other, so that
 * identities with many photographs do not crowd out the others; none is drawn twice.
 */

import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { keysOf } from "../faces/keys_of.ts";
import type { ImportedImage } from "./import.ts";
import type { Pose } from "./pose.ts";
import {
  chooseTriplets,
  groupViews,
  parseTripletsCsv,
  type Triplet,
  tripletsCsv,
  type View,
} from "./parts/triplet_choice.ts";

/** `triplets.json`. */
export interface Triplets {
  /** Yaw ranges in degrees: left, frontal, right. */
  readonly bins: readonly (readonly [number, number])[];
  readonly triplets: readonly Triplet[];
  /** How many were left after each step. */
  readonly funnel: {
    readonly photographs: number;
    /** Views of the back of a head, turned by more than 90°: the pose network gives them an angle, and none is used. */
    readonly beyond: number;
    readonly inBins: readonly number[];
    readonly groups: number;
    readonly possible: number;
    readonly chosen: number;
  };
}

/** Degrees; what is turned further shows no face (the paper's bins end there). */
export const MOST_YAW = 90;

const bin = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, "a bin is [low, high]");
const yawBins = z.tuple([bin, bin, bin]);
/** Yaw ranges in degrees, edges included: nose to the image's left, frontal, right. */
export type YawBins = z.input<typeof yawBins>;

/** Posed photographs → `triplets.csv` and `triplets.json` ({@link Triplets}). */
export const buildTriplets = defineStage({
  name: "triplets",
  module: import.meta.url,
  inputs: { images: "images", poses: "poses", picked: "file?" },
  output: "triplets",
  params: z.strictObject({
    /** Yaw ranges in degrees, edges included: nose to the image's left, frontal, right. */
    bins: yawBins.default([[-90, -10], [-10, 10], [10, 90]]),
    /** How many triplets to draw; all if there are fewer. */
    count: z.number().int().positive().default(96),
    seed: z.number().int().nonnegative().default(0),
  }),
  determinism: "bitwise",
  computes: { cpu: "bookkeeping" },
  run: async ({ inputs, params, out, log }) => {
    const views: View[] = [];
    for (const key of keysOf(inputs.poses, ".json")) {
      const { identity, expression } = await inputs.images.json<ImportedImage>(`${key}.json`);
      const { faces } = await inputs.poses.json<Pose>(`${key}.json`);
      for (const [face, { yaw }] of faces.entries()) {
        views.push({ key: `${key}/${face}`, identity, expression: expression ?? "", yaw });
      }
    }
    const facing = views.filter(({ yaw }) => Math.abs(yaw) <= MOST_YAW);
    const beyond = views.length - facing.length;
    if (beyond > 0) log(`${beyond} of ${views.length} views are turned by more than ${MOST_YAW}° and left out`);
    const groups = groupViews(facing, params.bins);
    const inBins = [0, 1, 2].map((i) => groups.reduce((sum, { bins }) => sum + bins[i]!.length, 0));
    const possible = groups.reduce((sum, { possible }) => sum + possible, 0);
    const { picked } = inputs;
    if (picked === undefined && possible === 0) throw new Error(noneMessage(views.length, inBins, params.bins));
    const triplets = picked === undefined
      ? chooseTriplets(groups, params)
      : parseTripletsCsv(await picked.text(picked.paths[0]!), {
        path: picked.paths[0]!,
        views: facing,
        parse: await loadParser(),
      });
    if (picked === undefined && triplets.length < params.count) {
      log(`only ${triplets.length} different triplets are possible, ${params.count} were asked for`);
    }
    const result: Triplets = {
      bins: params.bins,
      triplets,
      funnel: { photographs: views.length, beyond, inBins, groups: groups.length, possible, chosen: triplets.length },
    };
    out.json("triplets.json", result);
    out.write("triplets.csv", tripletsCsv(triplets, { unparse: (await import("papaparse")).default.unparse }));
  },
});

async function loadParser() {
  const { default: papa } = await import("papaparse");
  return (text: string) => papa.parse(text, { header: true, skipEmptyLines: true });
}

function noneMessage(views: number, inBins: readonly number[], bins: readonly (readonly [number, number])[]): string {
  const counts = bins.map(([low, high], i) => `${inBins[i]} in [${low}°, ${high}°]`).join(", ");
  return `no triplet can be built from ${views} photographs: ${counts}, ` +
    "but no identity has one of each with the same expression. " +
    `Photographs must lie in <identity>/<k_expression>/<view>.jpg, or widen the bins.`;
}

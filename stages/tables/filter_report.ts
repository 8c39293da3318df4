/**
 * How well the data funnel of the paper's Section 3.1 works: the face filter, the pose network's yaw and the triplets
 * are compared with what is known of made captures. Real captures have no truth to score by. The paper prints sizes
 * only: 400,000 images, 120,000 triplets, 1,500 picked by hand.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { keysOf } from "../faces/keys_of.ts";

const truthSchema = z.array(z.object({
  key: z.string(),
  hasFace: z.boolean().nullable(),
  yaw: z.number().nullable(),
  identity: z.string().nullable(),
  expression: z.string().nullable(),
}));
const posesSchema = z.object({ faces: z.array(z.object({ yaw: z.number() })) });
const tripletsSchema = z.object({
  bins: z.array(z.tuple([z.number(), z.number()])),
  triplets: z.array(z.object({
    identity: z.string(),
    expression: z.string(),
    views: z.tuple([z.string(), z.string(), z.string()]),
  })),
});

/** Truth (`truth.json`) and the results of detect, pose and triplets → `filter_report.{json,md}`. */
export const filterReport = defineStage({
  name: "filter_report",
  module: import.meta.url,
  inputs: { truth: "truth", detections: "detections", poses: "poses", triplets: "triplets" },
  output: "filter_report",
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, out }) => {
    const { scoreFilter } = await import("./parts/filter_scores.ts");
    const { filterMarkdown } = await import("./parts/filter_markdown.ts");
    const truth = truthSchema.parse(await inputs.truth.json("truth.json"));
    const yaws = new Map<string, number>();
    for (const key of keysOf(inputs.poses, ".json")) {
      const [face] = posesSchema.parse(await inputs.poses.json(`${key}.json`)).faces;
      if (face !== undefined) yaws.set(key, face.yaw);
    }
    const { bins, triplets } = tripletsSchema.parse(await inputs.triplets.json("triplets.json"));
    const kept = new Set(keysOf(inputs.detections, ".json"));
    const scores = scoreFilter({ truth, kept, yaws, triplets, bins });
    out.json("filter_report.json", scores);
    out.write("filter_report.md", filterMarkdown(scores, bins));
  },
});

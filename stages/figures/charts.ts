/**
 * A training and its data as charts: each loss over the steps, and the yaw of the photographs with the bins of the
 * triplets. Vega-Lite makes SVG of them without a browser, and the PNG is that SVG drawn with the font that is given.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { fontFileOf } from "./parts/font_file.ts";
import type { Pose } from "../data/pose.ts";
import type { Triplets } from "../data/triplets.ts";

/** `losses.csv`, poses and triplets → `training.{svg,png}`, `yaw.{svg,png}` and their data in the `.vl.json` beside. */
export const charts = defineStage({
  name: "charts",
  module: import.meta.url,
  inputs: { losses: "weights", poses: "poses", triplets: "triplets", font: "assets" },
  output: "charts",
  params: z.strictObject({}),
  determinism: "bitwise",
  computes: { cpu: "charts: file formats" },
  run: async ({ inputs, out }) => {
    const { drawChart, lossChart, yawChart } = await import("./parts/vega_charts.ts");
    const fontFile = fontFileOf(inputs.font);
    const yaws: number[] = [];
    for (const path of inputs.poses.paths) {
      for (const { yaw } of (await inputs.poses.json<Pose>(path)).faces) yaws.push(yaw);
    }
    const { bins } = await inputs.triplets.json<Triplets>("triplets.json");
    const specs = { training: lossChart(await inputs.losses.text("losses.csv")), yaw: yawChart(yaws, bins) };
    for (const [name, spec] of Object.entries(specs)) {
      const { svg, png } = await drawChart(spec, { fontFile });
      out.write(`${name}.svg`, svg);
      out.write(`${name}.png`, png);
    }
  },
});

/**
 * LPIPS of every method in other views of real captures: a table beside `real_views`, so that the latter can be made
 * where the network of LPIPS cannot be had.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";

/**
 * Scores of each method, and of `guess`, `copy` and `oracle` beside them → `real_lpips.{md,csv,tex}`.
 */
export const realLpips = defineStage({
  name: "real_lpips",
  module: import.meta.url,
  inputs: { scores: map("lpips_scores") },
  output: "real_lpips",
  params: z.strictObject({}),
  determinism: "bitwise",
  computes: { cpu: "means of a few hundred numbers: bookkeeping" },
  run: async ({ inputs: { scores }, out }) => {
    const { column, gridFiles } = await import("./parts/grid.ts");
    const { isReference, meanOf, REAL_LABELS, REAL_ROWS } = await import("./parts/real_scores.ts");
    const { readLpipsScores } = await import("../scores/parts/lpips_scores.ts");
    const rows = await Promise.all(REAL_ROWS.map(async (name) => {
      const tree = scores[name];
      if (tree === undefined) throw new TypeError(`There is no LPIPS of ${REAL_LABELS[name]}`);
      const { views } = await readLpipsScores(tree);
      const all = name === "oracle" ? [] : views;
      const cells = [
        meanOf(all.map(({ distance }) => distance)),
        meanOf(all.map(({ revealed }) => revealed)),
        meanOf(views.map(({ third }) => third ?? null)),
      ];
      return { label: REAL_LABELS[name], reference: isReference(name), cells };
    }));
    const files = gridFiles({
      title: "LPIPS in other views of real captures",
      columns: [
        column("novel", "other views: face mask", "lower", 4),
        column("revealed", "revealed pixels", "lower", 5),
        column("third", "where a third view saw the skin", "lower", 5),
      ],
      rows,
      notes: [
        "LPIPS (Zhang et al. 2018), version 0.1 with AlexNet; 0 for equal pictures. On the face mask: the mean over " +
        "the mask of its map. On revealed pixels: the distance of the whole picture, where all other pixels are the " +
        "photograph's. real_views says of which pairs of views, and what the last row is. Means over pairs.",
      ],
    }, "real_lpips");
    for (const [name, text] of Object.entries(files)) out.write(name, text);
  },
});

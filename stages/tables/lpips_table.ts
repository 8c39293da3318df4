/** Every method's LPIPS on the faces of Table 1, in other views and against true textures. */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";

/** Scores of each method → `lpips.{md,csv,tex}` and, pair by pair, `lpips_margins.*`: ours less each method. */
export const lpipsTable = defineStage({
  name: "lpips_table",
  module: import.meta.url,
  inputs: { scores: map("lpips_scores") },
  output: "lpips_table",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const { lpipsGrids } = await import("./parts/lpips_grids.ts");
    const { readLpipsScores } = await import("../scores/parts/lpips_scores.ts");
    const { byMethod, METHOD_LABELS } = await import("../scores/parts/methods.ts");
    const rows = await Promise.all(
      byMethod(inputs.scores).map(async ([method, tree]) => ({
        label: METHOD_LABELS[method],
        trainings: [{ ...await readLpipsScores(tree), training: 1 }],
      })),
    );
    const files = lpipsGrids({ rows, reference: rows.at(-1)! }, {
      name: "lpips",
      titles: { table: "LPIPS", margins: "LPIPS: ours less each method, pair by pair" },
      margin: "reference less row",
      notes: [],
      ...params,
    });
    for (const [name, text] of Object.entries(files)) out.write(name, text);
  },
});

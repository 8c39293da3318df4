/** Every method's LPIPS on the faces of Table 1, in other views and against true textures. */
import { z } from "zod";
import { defineStage, map, type Tree } from "@ftim/pipeline";

/**
 * Scores of each method, and of comparators' networks by the comparator → `lpips.{md,csv,tex}` and, pair by pair,
 * `lpips_margins.*`: ours less each method. `guess` and `oracle`, those of the first guess and of the true textures,
 * are rows to compare with; with both there is `lpips_gap.*`, see `parts/gap.ts`.
 */
export const lpipsTable = defineStage({
  name: "lpips_table",
  module: import.meta.url,
  inputs: {
    scores: map("lpips_scores"),
    networks: map("lpips_scores"),
    guess: "lpips_scores?",
    oracle: "lpips_scores?",
  },
  output: "lpips_table",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const { GUESS, ORACLE } = await import("./parts/gap.ts");
    const { lpipsGrids } = await import("./parts/lpips_grids.ts");
    const { readLpipsScores } = await import("../scores/parts/lpips_scores.ts");
    const { byTable1Row, ROW_LABELS } = await import("../scores/parts/table1_rows.ts");
    const { networkViewsNote } = await import("./parts/notes.ts");
    const rows = await Promise.all(
      byTable1Row(inputs.scores, inputs.networks).map(async ([method, tree]) => ({
        method,
        label: ROW_LABELS[method],
        trainings: [{ ...await readLpipsScores(tree), training: 1 }],
      })),
    );
    const read = async (label: string, tree: Tree | undefined) =>
      tree && { label, trainings: [{ ...await readLpipsScores(tree), training: 1 }] };
    const [guess, oracle] = await Promise.all([read(GUESS, inputs.guess), read(ORACLE, inputs.oracle)]);
    const ours = rows.find(({ method }) => method === "ours")!;
    const files = lpipsGrids({ rows, reference: ours, guess, oracle }, {
      name: "lpips",
      titles: { table: "LPIPS", margins: "LPIPS: ours less each method, pair by pair" },
      margin: "reference less row",
      notes: networkViewsNote(rows.map(({ method, trainings: [scores] }) => [method, scores!.views.length])),
      gap: "LPIPS on revealed pixels: how much of the gap from the first guess to the true texture is closed",
      ...params,
    });
    for (const [name, text] of Object.entries(files)) out.write(name, text);
  },
});

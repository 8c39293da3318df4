/**
 * The ablation by LPIPS. Losses that are after detail, such as ID-MRF, show in it; L1 and PSNR punish detail as much as
 * they reward it.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";

/**
 * Scores of each variant and training → `lpips_ablation.{md,csv,tex}` and, pair by pair, `lpips_ablation_margins.*`:
 * each variant less the full method. `oracle`: the scores of the true textures, a row to compare with.
 */
export const lpipsAblation = defineStage({
  name: "lpips_ablation",
  module: import.meta.url,
  inputs: { scores: map("lpips_scores"), oracle: "lpips_scores?" },
  output: "lpips_ablation",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const { ORACLE } = await import("./parts/gap.ts");
    const { lpipsGrids } = await import("./parts/lpips_grids.ts");
    const { readLpipsScores } = await import("../scores/parts/lpips_scores.ts");
    const { everyTraining, rowsOf, trainingsOf } = await import("./parts/trained_variants.ts");
    const { VARIANT_LABELS } = await import("./parts/variants.ts");
    const trainings = trainingsOf(inputs.scores);
    const rows = await Promise.all(
      rowsOf(inputs.scores).map(async (variant) => ({
        label: VARIANT_LABELS[variant],
        trainings: await everyTraining(variant, {
          trainings,
          trees: inputs.scores,
          read: async (tree) => [await readLpipsScores(tree)],
        }),
      })),
    );
    const known = inputs.oracle && (await readLpipsScores(inputs.oracle));
    const oracle = known && { label: ORACLE, trainings: trainings.map((training) => ({ ...known, training })) };
    const files = lpipsGrids({ rows, reference: rows.at(-1)!, oracle }, {
      name: "lpips_ablation",
      titles: { table: "LPIPS of the ablation", margins: "LPIPS: each variant less the full method, pair by pair" },
      margin: "row less reference",
      notes: trainings.length === 1 ? [] : [
        `Each value of a trained variant is the mean of ${trainings.length} trainings. ` +
        "The untrained rows have but one.",
      ],
      ...params,
    });
    for (const [name, text] of Object.entries(files)) out.write(name, text);
  },
});

/**
 * Table 2 of the paper, the ablation. FTIM is left out, ID-MRF and symmetry are left out, and, which the paper lacks,
 * each loss is left out alone. With `--more` there are three further rows: without the two losses that compare views
 * directly, without all four that compare views, and with each view rendered in its own light, as the paper trains.
 *
 * The paper's row without FTIM is a network "trained without FTIM but with all losses", which it does not describe.
 * Here it is one map, learned with all losses, that every face has where it was not seen (`train_map.ts`). The paper
 * prints the L1 of the renders only. A render in the view that was unwrapped hardly shows what a loss is for, so other
 * views and true textures stand beside it.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";

/**
 * Scores of each training of each variant, named as by `trainedName`: on the test photographs, in other views and,
 * where true textures are known, against them → `table2.{md,csv,tex}` and, pair by pair, `table2_margins.{md,csv,tex}`;
 * where there are several trainings also `table2_trainings.{md,csv,tex}`, the differences in each. A variant that
 * nothing was trained for has training 1 alone. `oracle`: the scores of the true textures, a row to compare with.
 */
export const table2 = defineStage({
  name: "table2",
  module: import.meta.url,
  inputs: {
    real: map("metrics"),
    novel: map("novel"),
    uv: map("uv_scores"),
    oracle: "novel?",
  },
  output: "table2",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs: { real, novel, uv, oracle }, params, out }) => {
    const { readFaceScores } = await import("../scores/parts/measurements.ts");
    const { readNovelScores } = await import("../scores/parts/novel_scores.ts");
    const { readUvScores } = await import("../scores/parts/uv_scores.ts");
    const { ablationFiles } = await import("./parts/ablation_grids.ts");
    const { everyTraining, rowsOf, trainingsOf } = await import("./parts/trained_variants.ts");
    const trainings = trainingsOf(real);
    const truth = Object.keys(uv).length > 0;
    const rows = await Promise.all(
      rowsOf(real).map(async (variant) => ({
        variant,
        real: await everyTraining(variant, { trainings, trees: real, read: readFaceScores }),
        novel: await everyTraining(variant, { trainings, trees: novel, read: readNovelScores }),
        uv: truth ? await everyTraining(variant, { trainings, trees: uv, read: readUvScores }) : [],
      })),
    );
    const known = oracle && (await readNovelScores(oracle));
    const besideEach = known && trainings.flatMap((training) => known.map((score) => ({ ...score, training })));
    const files = ablationFiles(rows, { trainings, oracle: besideEach, ...params });
    for (const [name, text] of Object.entries(files)) out.write(name, text);
  },
});

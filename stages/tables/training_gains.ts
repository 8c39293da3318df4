/**
 * What a change of our training buys: the training repeated with fewer and with more persons and steps, or on other
 * captures, each scored on the revealed pixels of held-out heads, beside the first guess and the true textures. The
 * paper has one training.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";

/**
 * Scores in other views of each training, and of the first guess and the true textures, rendered with that training's
 * meshes, each by the row's name → `<name>.{md,csv,tex}`. `trainings` says what each is, in the order of the rows.
 */
export const trainingGains = defineStage({
  name: "training_gains",
  module: import.meta.url,
  inputs: { ours: map("novel"), guess: map("novel"), oracle: map("novel") },
  output: "training_gains",
  params: z.strictObject({
    /** The files' name. */
    name: z.string(),
    title: z.string(),
    trainings: z.array(z.strictObject({ name: z.string(), label: z.string() })).min(1),
    resamples: z.int().min(1).default(10_000),
    seed: z.int().default(1),
  }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params: { name: file, title, trainings, ...draws }, out }) => {
    const { column, gridFiles } = await import("./parts/grid.ts");
    const { gapCells } = await import("./parts/gap.ts");
    const { marginCells, meanCells } = await import("./parts/measures.ts");
    const { NOVEL_MEASURES } = await import("./parts/novel_measures.ts");
    const { revealedMeasures, revealedNote } = await import("./parts/revealed_measures.ts");
    const { readNovelScores } = await import("../scores/parts/novel_scores.ts");
    const measured = { ...NOVEL_MEASURES, ...draws, measures: revealedMeasures("PSNR").slice(0, 1) };
    const rows = await Promise.all(trainings.map(async ({ name, label }) => {
      const [ours, guess, oracle] = await Promise.all(
        (["ours", "guess", "oracle"] as const).map(async (role) => {
          const tree = inputs[role][name];
          if (tree === undefined) throw new TypeError(`Training ${name} has no scores of ${role} in other views`);
          return await readNovelScores(tree);
        }),
      ) as [Scores, Scores, Scores];
      const cells = [
        ...[guess, ours, oracle].flatMap((scores) => meanCells(scores, measured, draws)),
        ...marginCells(ours, guess, measured),
        ...gapCells(ours, { guess, oracle, ...measured }),
      ];
      return { row: { label, cells }, ours };
    }));
    const grid = {
      title,
      columns: [
        column("guess_psnr", "revealed pixels: PSNR of the first guess", null, 2),
        column("ours_psnr", "of FTIM with a first guess (ours)", null, 2),
        column("oracle_psnr", "of the true texture", null, 2),
        column("gain", "ours less the guess", null, 2),
        column("share", "share of the gap, %", null, 1),
      ],
      rows: rows.map(({ row }) => row),
      notes: [
        "Means with 95 % bootstrap intervals over heads. The first guess and the true texture are rendered with " +
        "meshes that the training's own persons corrected, so they move a little, too.",
        revealedNote(rows[0]!.ours),
      ],
    };
    for (const [name, text] of Object.entries(gridFiles(grid, file))) out.write(name, text);
  },
});

type Scores = Awaited<ReturnType<typeof import("../scores/parts/novel_scores.ts").readNovelScores>>;

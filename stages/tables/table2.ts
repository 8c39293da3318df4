/**
 * Table 2 of the paper, the ablation. FTIM is left out, ID-MRF and symmetry are left out, and, which the paper lacks,
 * each loss is left out alone. With `--more` there are three further rows: without the two losses that compare views
 * directly, without all four that compare views, and with each view rendered in its own light, as the paper trains.
 *
 * The rows without FTIM are not trained; the paper's is a network trained without the module. The paper prints the L1
 * of the renders only. A render in the view that was unwrapped hardly shows what a loss is for, so other views and true
 * textures stand beside it.
 */
import { z } from "zod";
import { defineStage, map } from "@ftim/pipeline";
import type { FaceScores } from "../scores/parts/measurements.ts";
import type { NovelScores } from "../scores/parts/novel_scores.ts";
import type { Measures } from "./parts/measures.ts";
import type { UvScores } from "../scores/parts/uv_scores.ts";
import type { Trained } from "./parts/trained_variants.ts";
import type { Variant } from "./parts/variants.ts";

/**
 * Scores of each training of each variant, named as by `trainedName`: on the test photographs, in other views and,
 * where true textures are known, against them → `table2.{md,csv,tex}` and, pair by pair, `table2_margins.{md,csv,tex}`;
 * where there are several trainings also `table2_trainings.{md,csv,tex}`, the differences in each. A variant that
 * nothing was trained for has training 1 alone.
 */
export const table2 = defineStage({
  name: "table2",
  module: import.meta.url,
  inputs: {
    real: map("metrics"),
    novel: map("novel"),
    uv: map("uv_scores"),
  },
  output: "table2",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  run: async ({ inputs, params, out }) => {
    const { column, gridFiles } = await import("./parts/grid.ts");
    const { readFaceScores } = await import("../scores/parts/measurements.ts");
    const { columnsOf, marginCells, marginColumns, meanCells } = await import("./parts/measures.ts");
    const { readNovelScores } = await import("../scores/parts/novel_scores.ts");
    const { readUvScores } = await import("../scores/parts/uv_scores.ts");
    const { everyTraining, rowsOf, trainingsOf } = await import("./parts/trained_variants.ts");
    const { PAPER_TABLE2, VARIANT_LABELS } = await import("./parts/variants.ts");
    const real: Measures<Trained<FaceScores>> = {
      same: ({ training, face }) => `${training} ${face}`,
      by: ({ face }) => face,
      measures: [
        [column("l1", "L1", "lower", 4), ({ masked }) => masked.l1],
        [column("psnr", "PSNR", "higher", 2), ({ masked }) => masked.psnr ?? Infinity],
        [column("ssim", "SSIM", "higher", 4), ({ masked }) => masked.ssim],
        [column("cosine", "cosine", "higher", 4), ({ masked }) => masked.cosine],
      ],
    };
    const novel: Measures<Trained<NovelScores>> = {
      same: ({ training, from, to }) => `${training} ${from} ${to}`,
      by: ({ identity }) => identity,
      measures: [
        [column("novel_l1", "other views: L1", "lower", 4), ({ l1 }) => l1],
        [column("novel_psnr", "PSNR", "higher", 2), ({ psnr }) => psnr ?? Infinity],
        [column("novel_cosine", "cosine", "higher", 4), ({ cosine }) => cosine],
      ],
    };
    const trainings = trainingsOf(inputs.real);
    const truth = Object.keys(inputs.uv).length > 0;
    const scores = async (variant: Variant) => ({
      variant,
      label: VARIANT_LABELS[variant],
      real: await everyTraining(variant, { trainings, trees: inputs.real, read: readFaceScores }),
      novel: await everyTraining(variant, { trainings, trees: inputs.novel, read: readNovelScores }),
      uv: truth ? await everyTraining(variant, { trainings, trees: inputs.uv, read: readUvScores }) : [],
    });
    const all = await Promise.all(rowsOf(inputs.real).map(scores));
    const full = all.find(({ variant }) => variant === "full")!;
    const uv: Measures<Trained<UvScores>> = {
      same: ({ training, face }) => `${training} ${face}`,
      by: ({ identity }) => identity,
      measures: full.uv.length === 0 ? [] : [
        [column("unseen_l1", "unseen texels: L1", "lower", 4), ({ unseen }) => unseen?.l1 ?? null],
        [column("unseen_psnr", "PSNR", "higher", 2), ({ unseen }) => unseen && (unseen.psnr ?? Infinity)],
      ],
    };
    const columns = [...columnsOf(real), ...columnsOf(novel), ...columnsOf(uv)];
    const rows = all.map((row) => ({
      label: row.label,
      cells: [
        PAPER_TABLE2[row.variant] ?? null,
        ...meanCells(row.real, real, params),
        ...meanCells(row.novel, novel, params),
        ...meanCells(row.uv, uv, params),
      ],
    }));
    const others = all.filter((row) => row !== full);
    const costs = others.map((row) => ({
      label: row.label,
      cells: [
        ...marginCells(row.real, full.real, { ...real, ...params }),
        ...marginCells(row.novel, full.novel, { ...novel, ...params }),
        ...marginCells(row.uv, full.uv, { ...uv, ...params }),
      ],
    }));
    /** The margins' PSNR in each training. */
    const eachTraining = <Score>(
      { measures, ...kind }: Measures<Trained<Score>>,
      { of, label }: { of: (row: typeof full) => Trained<Score>[]; label: string },
    ) =>
      measures.filter(([{ label }]) => label === "PSNR").flatMap((measure) =>
        trainings.map((training) => {
          const only = (row: typeof full) => of(row).filter((score) => score.training === training);
          const { name, digits } = measure[0];
          return {
            column: column(`${name}_${training}`, `${label}, training ${training}`, null, digits),
            cell: (row: typeof full) =>
              marginCells(only(row), only(full), { ...kind, measures: [measure], ...params })[0]!,
          };
        })
      );
    const grid = {
      title: "Table 2: ablation",
      columns: [column("paper_l1", "paper L1", null, 3), ...columns],
      rows,
      notes: [
        "L1 to cosine: the face mask of the test photographs, as in Table 1. " +
        "Other views: reconstructed from one view of a " +
        `${
          full.uv.length === 0 ? "" : "made "
        }capture of a person who was never trained on, compared in the other views.` +
        `${
          full.uv.length === 0
            ? ""
            : " Unseen texels: the completed texture against the true one where the view showed nothing."
        }`,
        "Mean with the 95 % bootstrap interval over faces, or over heads. Bold: the best mean of the column. " +
        (trainings.length === 1
          ? "Every trained variant had the same steps, seed and triplets. "
          : `Every trained variant was trained ${trainings.length} times, with the same steps, seeds and triplets; ` +
            "each value is the mean of the trainings. ") +
        "The rows without FTIM are not trained.",
        "The paper's L1 is what it printed for CelebA. " +
        "Beside the first row it is that of a network trained without FTIM but with all losses, which we do not have.",
      ],
    };
    const margins = {
      title: "Each variant less the full method, pair by pair",
      columns: marginColumns(columns),
      rows: costs,
      notes: [
        "Mean difference on the same face, pair of views or view, with the 95 % bootstrap interval over faces, " +
        "or over heads: an interval that does not hold 0 says that the variant differs from the full method. " +
        "The full method is better where the difference in L1 is positive and the others are negative.",
      ],
    };
    const psnrs = [
      ...eachTraining(real, { of: (row) => row.real, label: "PSNR" }),
      ...eachTraining(novel, { of: (row) => row.novel, label: "other views" }),
      ...eachTraining(uv, { of: (row) => row.uv, label: "unseen texels" }),
    ];
    const files = {
      ...gridFiles(grid, "table2"),
      ...gridFiles(margins, "table2_margins"),
      ...trainings.length > 1 && gridFiles({
        title: "PSNR of each variant less the full method, training by training",
        columns: psnrs.map(({ column }) => column),
        rows: others.map((row) => ({ label: row.label, cells: psnrs.map(({ cell }) => cell(row)) })),
        notes: [
          "As in the table of margins, within one training (a seed). " +
          "Where the trainings do not agree, what the variant lacks may cost nothing.",
        ],
      }, "table2_trainings"),
    };
    for (const [name, text] of Object.entries(files)) out.write(name, text);
  },
});

/**
 * Every method in other views and against true textures, on captures of persons who were never trained on. Table 1
 * cannot show this, since a render in the view that was unwrapped rewards copying.
 */
import { z } from "zod";
import { defineStage, map, type Tree } from "@ftim/pipeline";
import type { Measure, Measures } from "./parts/measures.ts";
import type { UvScores } from "../scores/parts/uv_scores.ts";

/** Yaws of a view, degrees either way: [low, high). */
const YAWS = [[0, 20], [20, 45], [45, 91]] as const;

/**
 * Scores of each method, and of comparators' networks by the comparator → `novel_views.{md,csv,tex}`,
 * `uv_truth.{md,csv,tex}` and, pair by pair, `novel_views_margins.*`, `uv_truth_margins.*`, and `printed_margins.*` of
 * FTIM as printed. Without scores against true textures, which only made captures have, there are no `uv_truth` files.
 * `guess` and `oracle`, the scores of the first guess and of the true textures, are rows to compare with. With both
 * there is `revealed_gap.{md,csv,tex}`, see `parts/gap.ts`; `bounds`, by windows of `coarse_textures.ts`, are rows of
 * it, too. `view_metrics.json` holds the means, and what training adds over the guess, for the gate.
 */
export const novelTable = defineStage({
  name: "novel_table",
  module: import.meta.url,
  inputs: {
    novel: map("novel"),
    networks: map("novel"),
    uv: map("uv_scores"),
    guess: "novel?",
    guess_uv: "uv_scores?",
    oracle: "novel?",
    bounds: map("novel"),
  },
  output: "novel_table",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  computes: { cpu: "means and bootstrap intervals of a few hundred numbers: bookkeeping" },
  run: async ({ inputs, params, out }) => {
    const { column, gridFiles } = await import("./parts/grid.ts");
    const { columnsOf, marginCells, marginColumns, meanCells } = await import("./parts/measures.ts");
    const { byTable1Row, ROW_LABELS } = await import("../scores/parts/table1_rows.ts");
    const { networkViewsNote } = await import("./parts/notes.ts");
    const { boundLabel, BOUNDS_NOTE, GUESS, gapGrid, ORACLE } = await import("./parts/gap.ts");
    const { NOVEL_MEASURES } = await import("./parts/novel_measures.ts");
    const { ORACLE_NOTE, revealedMeasures, revealedNote, revealedPsnrTurned, TURNS } = await import(
      "./parts/revealed_measures.ts"
    );
    const { VIEW_METRICS, viewMetrics } = await import("./parts/view_metrics.ts");
    const { readNovelScores } = await import("../scores/parts/novel_scores.ts");
    const { readUvScores } = await import("../scores/parts/uv_scores.ts");
    const by = ({ identity }: { identity: string }) => identity;
    const novel = NOVEL_MEASURES;
    const uv: Measures<UvScores> = {
      same: ({ face }) => face,
      by,
      measures: [
        [column("seen_psnr", "seen: PSNR", "higher", 2), ({ seen }) => seen && (seen.psnr ?? Infinity)],
        [column("unseen_l1", "unseen: L1", "lower", 4), ({ unseen }) => unseen && unseen.l1],
        [column("unseen_psnr", "unseen: PSNR", "higher", 2), ({ unseen }) => unseen && (unseen.psnr ?? Infinity)],
        [column("unseen_ssim", "unseen: SSIM", "higher", 4), ({ unseen }) => unseen && unseen.ssim],
        [column("all_psnr", "all: PSNR", "higher", 2), ({ all }) => all.psnr ?? Infinity],
        ...YAWS.map(([low, high]): Measure<UvScores> => [
          column(`unseen_psnr_${low}_${high}`, `unseen, yaw ${low}–${Math.min(high, 90)}°: PSNR`, "higher", 2),
          ({ yaw, unseen }) =>
            Math.abs(yaw) >= low && Math.abs(yaw) < high ? unseen && (unseen.psnr ?? Infinity) : null,
        ]),
        [column("known_l1", "unseen, but shown by the portrait: L1", "lower", 4), ({ known }) => known && known.l1],
        [column("known_psnr", "PSNR", "higher", 2), ({ known }) => known && (known.psnr ?? Infinity)],
        [column("known_ssim", "SSIM", "higher", 4), ({ known }) => known && known.ssim],
      ],
    };
    const all = await Promise.all(
      byTable1Row(inputs.novel, inputs.networks).map(async ([method, tree]) => ({
        method,
        label: ROW_LABELS[method],
        reference: false,
        novel: await readNovelScores(tree),
        uv: await readUvScores(inputs.uv[method]),
      })),
    );
    const read = async (label: string, tree: Tree | undefined) =>
      tree === undefined ? [] : [{ label, novel: await readNovelScores(tree), reference: true }];
    const [guess, oracle] = await Promise.all([read(GUESS, inputs.guess), read(ORACLE, inputs.oracle)]);
    const guessUv = await readUvScores(inputs.guess_uv);
    const references = {
      novel: [...guess, ...oracle],
      uv: guessUv.length === 0 ? [] : [{ label: GUESS, reference: true, uv: guessUv }],
    };
    const ours = all.find(({ method }) => method === "ours")!;
    const others = all.filter((row) => row !== ours);
    const printed = all.find(({ method }) => method === "printed")!;
    const comparators = others.filter((row) => row !== printed);
    const heads = new Set(ours.novel.map(by)).size;
    const means = "Mean with the 95 % bootstrap interval over heads. Bold: the best mean of the column.";
    const differences =
      "Mean difference on the same view, or pair of views, with the 95 % bootstrap interval over heads: " +
      "an interval that does not hold 0 says that the two differ, whether or not those of their means overlap.";
    const better = "is better where the difference in L1 is negative and the others are positive.";
    const files = {
      ...gridFiles({
        title: "Other views",
        columns: columnsOf(novel),
        rows: [...all, ...references.novel].map(({ label, reference, novel: scores }) => ({
          label,
          reference,
          cells: meanCells(scores, novel, params),
        })),
        notes: [
          "Each face reconstructed from one view and compared, on the face mask, in another view of the same " +
          "capture: " +
          `${ours.novel.length} pairs of views of ${heads} ` +
          `${ours.uv.length === 0 ? "persons" : "made heads of persons"} who were never trained on.`,
          means,
          revealedNote(ours.novel),
          ...networkViewsNote(all.map(({ method, novel }) => [method, novel.length])),
          ...oracle.length > 0 ? [ORACLE_NOTE] : [],
        ],
      }, "novel_views"),
      ...gridFiles({
        title: "Other views: ours less each method, pair by pair",
        columns: marginColumns(columnsOf(novel)),
        rows: [...others, ...references.novel].map((row) => ({
          label: row.label,
          cells: marginCells(ours.novel, row.novel, { ...novel, ...params }),
        })),
        notes: [`${differences} Ours, FTIM with a first guess, ${better}`],
      }, "novel_views_margins"),
      ...gridFiles({
        title: "Other views: FTIM as printed less each comparator, pair by pair",
        columns: marginColumns(columnsOf(novel)),
        rows: comparators.map((row) => ({
          label: row.label,
          cells: marginCells(printed.novel, row.novel, { ...novel, ...params }),
        })),
        notes: [`${differences} FTIM as printed ${better}`],
      }, "printed_margins"),
    };
    const [guessed, known] = [guess[0]?.novel, oracle[0]?.novel];
    const bounds = await Promise.all(
      Object.entries(inputs.bounds).map(async ([windows, tree]) => ({
        label: boundLabel(Number(windows)),
        scores: await readNovelScores(tree),
        reference: true,
      })),
    );
    const gap = guessed === undefined || known === undefined ? {} : gridFiles(
      gapGrid([...all.map(({ label, novel: scores }) => ({ label, scores })), ...bounds], {
        title: "Revealed pixels: how much of the gap from the first guess to the true texture is closed",
        notes: bounds.length > 0 ? [BOUNDS_NOTE] : [],
        guess: guessed,
        oracle: known,
        ...novel,
        measures: [...revealedMeasures("PSNR"), revealedPsnrTurned(TURNS[2])],
        ...params,
      }),
      "revealed_gap",
    );
    const truth = ours.uv.length === 0 ? {} : {
      ...gridFiles({
        title: "Against true textures",
        columns: columnsOf(uv),
        rows: [...all, ...references.uv].map(({ label, reference, uv: scores }) => ({
          label,
          reference,
          cells: meanCells(scores, uv, params),
        })),
        notes: [
          "The completed UV texture against the one that the capture was rendered with. " +
          "Seen: texels with a visibility of at least a half; unseen: below a twentieth. " +
          "What the portrait of a head did not show was mirrored; the last three columns leave it out.",
          means,
        ],
      }, "uv_truth"),
      ...gridFiles({
        title: "Against true textures: ours less each method, view by view",
        columns: marginColumns(columnsOf(uv)),
        rows: [...others, ...references.uv].map((row) => ({
          label: row.label,
          cells: marginCells(ours.uv, row.uv, { ...uv, ...params }),
        })),
        notes: [`${differences} Ours, FTIM with a first guess, ${better}`],
      }, "uv_truth_margins"),
    };
    for (const [name, text] of Object.entries({ ...files, ...gap, ...truth })) out.write(name, text);
    const rows = Object.fromEntries(all.map(({ method, novel, uv }) => [method, { novel, uv }]));
    const ends = {
      ...(guessed === undefined ? {} : { guess: { novel: guessed, uv: guessUv } }),
      ...(known === undefined ? {} : { oracle: { novel: known } }),
    };
    out.json(VIEW_METRICS, viewMetrics({ ...rows, ...ends }, { novel, uv }));
  },
});

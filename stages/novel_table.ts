/**
 * Every method in other views and against true textures, on made captures of persons who were never trained on: what Table 1 cannot show, since a render in
 * the view that was unwrapped rewards copying.
 *
 * @module
 */
import { z } from "zod";
import { defineStage } from "../pipeline/mod.ts";
import { roles } from "./roles.ts";
import { type Method, METHODS } from "./tables/methods.ts";
import type { NovelScores } from "./tables/novel_scores.ts";
import type { UvScores } from "./tables/uv_scores.ts";

/** Turns between two views, degrees, by which they are grouped: [low, high). */
const TURNS = [[0, 30], [30, 60], [60, 180]] as const;
/** Yaws of a view, degrees either way: [low, high). */
const YAWS = [[0, 20], [20, 45], [45, 91]] as const;

const head = ({ identity }: { identity: string }) => identity;

/** Scores of each method → `novel_views.{md,csv,tex}`, `uv_truth.{md,csv,tex}` and, pair by pair, `margins.{md,csv,tex}`. */
export const novelTable = defineStage({
  name: "novel_table",
  module: import.meta.url,
  inputs: { ...roles("novel", METHODS, "novel"), ...roles("uv", METHODS, "uv_scores") },
  output: "novel_table",
  params: z.strictObject({ resamples: z.int().min(1).default(10_000), seed: z.int().default(1) }),
  determinism: "bitwise",
  run: async ({ inputs, params, out }) => {
    const { clusterMean } = await import("./tables/bootstrap.ts");
    const { column, gridFiles } = await import("./tables/grid.ts");
    const { METHOD_LABELS } = await import("./tables/methods.ts");
    const { pairedMean } = await import("./tables/paired.ts");
    const { readNovelScores } = await import("./tables/novel_scores.ts");
    const { readUvScores } = await import("./tables/uv_scores.ts");
    const mean = <T extends { identity: string }>(rows: readonly T[], of: (row: T) => number | null) => {
      const known = rows.filter((row) => of(row) !== null);
      return clusterMean(known.map((row) => of(row)!), { clusters: known.map(({ identity }) => identity), ...params });
    };
    const heads = new Set<string>();
    let pairs = 0;
    const novelRows = await Promise.all(METHODS.map(async (method) => {
      const scores = await readNovelScores(inputs[`novel_${method}`]);
      for (const { identity } of scores) heads.add(identity);
      pairs = Math.max(pairs, scores.length);
      return {
        label: METHOD_LABELS[method],
        cells: [
          mean(scores, ({ l1 }) => l1),
          mean(scores, ({ psnr }) => psnr ?? Infinity),
          mean(scores, ({ ssim }) => ssim),
          mean(scores, ({ cosine }) => cosine),
          ...TURNS.map(([low, high]) =>
            mean(scores.filter(({ turn }) => turn >= low && turn < high), ({ psnr }) => psnr ?? Infinity)
          ),
        ],
      };
    }));
    const novel = {
      title: "Other views",
      columns: [
        column("l1", "L1", "lower", 4),
        column("psnr", "PSNR", "higher", 2),
        column("ssim", "SSIM", "higher", 4),
        column("cosine", "cosine", "higher", 4),
        ...TURNS.map(([low, high]) =>
          column(`psnr_${low}_${high}`, `PSNR, turned ${low}–${Math.min(high, 120)}°`, "higher", 2)
        ),
      ],
      rows: novelRows,
      notes: [
        `Each face reconstructed from one view and compared, on the face mask, in another view of the same capture: ${pairs} pairs of views of ${heads.size} made heads ` +
        "of persons who were never trained on.",
        "Mean with the 95 % bootstrap interval over heads. Bold: the best mean of the column.",
      ],
    };
    const uvRows = await Promise.all(METHODS.map(async (method) => {
      const scores = await readUvScores(inputs[`uv_${method}`]);
      return {
        label: METHOD_LABELS[method],
        cells: [
          mean(scores, ({ seen }) => seen && (seen.psnr ?? Infinity)),
          mean(scores, ({ unseen }) => unseen?.l1 ?? null),
          mean(scores, ({ unseen }) => unseen && (unseen.psnr ?? Infinity)),
          mean(scores, ({ unseen }) => unseen?.ssim ?? null),
          mean(scores, ({ all }) => all.psnr ?? Infinity),
          ...YAWS.map(([low, high]) =>
            mean(
              scores.filter(({ yaw }) => Math.abs(yaw) >= low && Math.abs(yaw) < high),
              ({ unseen }) => unseen && (unseen.psnr ?? Infinity),
            )
          ),
        ],
      };
    }));
    const uv = {
      title: "Against true textures",
      columns: [
        column("seen_psnr", "seen: PSNR", "higher", 2),
        column("unseen_l1", "unseen: L1", "lower", 4),
        column("unseen_psnr", "unseen: PSNR", "higher", 2),
        column("unseen_ssim", "unseen: SSIM", "higher", 4),
        column("all_psnr", "all: PSNR", "higher", 2),
        ...YAWS.map(([low, high]) =>
          column(`unseen_psnr_${low}_${high}`, `unseen, yaw ${low}–${Math.min(high, 90)}°: PSNR`, "higher", 2)
        ),
      ],
      rows: uvRows,
      notes: [
        "The completed UV texture against the one that the capture was rendered with. Seen: texels with a visibility of at least a half; unseen: below a twentieth.",
        "Mean with the 95 % bootstrap interval over heads. Bold: the best mean of the column.",
      ],
    };
    const scores = async (method: Method) => ({
      novel: await readNovelScores(inputs[`novel_${method}`]),
      uv: await readUvScores(inputs[`uv_${method}`]),
    });
    const ours = await scores("ours");
    const marginRows = await Promise.all(
      METHODS.filter((method) => method !== "ours").map(async (method) => {
        const theirs = await scores(method);
        const seen = (of: (row: NovelScores) => number | null) =>
          pairedMean(ours.novel, theirs.novel, { same: ({ from, to }) => `${from} ${to}`, of, by: head, ...params });
        const hidden = (of: (row: UvScores) => number | null) =>
          pairedMean(ours.uv, theirs.uv, { same: ({ face }) => face, of, by: head, ...params });
        return {
          label: METHOD_LABELS[method],
          cells: [
            seen(({ l1 }) => l1),
            seen(({ psnr }) => psnr),
            seen(({ ssim }) => ssim),
            seen(({ cosine }) => cosine),
            hidden(({ unseen }) => unseen && unseen.l1),
            hidden(({ unseen }) => unseen && unseen.psnr),
            hidden(({ unseen }) => unseen && unseen.ssim),
          ],
        };
      }),
    );
    const margins = {
      title: "Ours less each method, pair by pair",
      columns: [
        column("novel_l1", "other views: L1", null, 4),
        column("novel_psnr", "PSNR", null, 2),
        column("novel_ssim", "SSIM", null, 4),
        column("novel_cosine", "cosine", null, 4),
        column("unseen_l1", "unseen texels: L1", null, 4),
        column("unseen_psnr", "PSNR", null, 2),
        column("unseen_ssim", "SSIM", null, 4),
      ],
      rows: marginRows,
      notes: [
        "Mean difference on the same pair of views, or on the same view, with the 95 % bootstrap interval over heads: an interval that does not hold 0 says that the two " +
        "differ, whether or not those of their means overlap. Ours is better where the difference in L1 is negative and the others are positive.",
      ],
    };
    const files = {
      ...gridFiles(novel, "novel_views"),
      ...gridFiles(uv, "uv_truth"),
      ...gridFiles(margins, "margins"),
    };
    for (const [name, text] of Object.entries(files)) out.write(name, text);
  },
});

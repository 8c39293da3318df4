/** What the tables of other views measure, on the whole face mask and on revealed pixels. */
import type { NovelScores } from "../../scores/parts/novel_scores.ts";
import { column } from "./grid.ts";
import type { Measure, Measures } from "./measures.ts";
import { revealedMeasures, revealedPsnrTurned, turnLabel, TURNS } from "./revealed_measures.ts";

/** Pairs of views, by whose head they are of. */
export const NOVEL_MEASURES: Measures<NovelScores> = {
  same: ({ from, to }) => `${from} ${to}`,
  by: ({ identity }) => identity,
  measures: [
    [column("l1", "L1", "lower", 4), ({ l1 }) => l1],
    [column("psnr", "PSNR", "higher", 2), ({ psnr }) => psnr ?? Infinity],
    [column("ssim", "SSIM", "higher", 4), ({ ssim }) => ssim],
    [column("cosine", "cosine", "higher", 4), ({ cosine }) => cosine],
    ...TURNS.map(([low, high]): Measure<NovelScores> => [
      column(`psnr_${low}_${high}`, `PSNR, ${turnLabel([low, high])}`, "higher", 2),
      ({ turn, psnr }) => turn >= low && turn < high ? psnr ?? Infinity : null,
    ]),
    ...revealedMeasures("revealed pixels: PSNR"),
    ...TURNS.map(revealedPsnrTurned),
  ],
};

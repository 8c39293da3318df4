/** What the tables of other views measure on revealed pixels. */
import type { NovelScores } from "../../scores/parts/novel_scores.ts";
import { LEAST_REVEALED, REVEALED } from "../../scores/parts/revealed_masks.ts";
import { column } from "./grid.ts";
import type { Measure } from "./measures.ts";

/** Turns between two views, degrees, by which they are grouped: [low, high). */
export const TURNS = [[0, 30], [30, 60], [60, 180]] as const;
/** As a column says a range of turns; no view is turned by more than 120° from another. */
export function turnLabel([low, high]: readonly [number, number]): string {
  return `turned ${low}–${Math.min(high, 120)}°`;
}

/** The PSNR on revealed pixels; Infinity for equal pictures, null where there are too few. */
export function revealedPsnr({ revealed }: NovelScores): number | null {
  return revealed && (revealed.psnr ?? Infinity);
}

/** PSNR and SSIM on revealed pixels. `first`: how the first column is labelled. */
export function revealedMeasures(first: string): Measure<NovelScores>[] {
  return [
    [column("revealed_psnr", first, "higher", 2), revealedPsnr],
    [column("revealed_ssim", "SSIM", "higher", 4), ({ revealed }) => revealed && revealed.ssim],
  ];
}

/** PSNR on revealed pixels of views that are turned so far from the first. */
export function revealedPsnrTurned(turns: readonly [number, number]): Measure<NovelScores> {
  const [low, high] = turns;
  return [
    column(`revealed_psnr_${low}_${high}`, `revealed pixels, ${turnLabel(turns)}: PSNR`, "higher", 2),
    (score) => score.turn >= low && score.turn < high ? revealedPsnr(score) : null,
  ];
}

/** What revealed pixels are, and how many of the pairs of views were scored on them. */
export function revealedNote(scores: readonly NovelScores[]): string {
  const scored = scores.filter(({ revealed }) => revealed !== null).length;
  return "Revealed pixels: those in the face mask of the other view whose visibility is below " +
    `${REVEALED.unseen} in the first view and above ${REVEALED.seen} in the other. SSIM there is the mean of its map ` +
    `over them. ${scored} of ${scores.length} pairs of views reveal at least ${LEAST_REVEALED} pixels and are counted.`;
}

/** What the reference rows are. */
export const ORACLE_NOTE = "The row of the true texture is no method: it is what the heads were rendered with, " +
  "rendered with the same mesh. It says how much completion could gain; the rest is the mesh's error. " +
  "Of these heads only pixels that their portraits showed count as revealed: the rest of the texture was mirrored.";

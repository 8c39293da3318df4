/**
 * How much of what completion could gain a method gains: (method − guess) / (oracle − guess). The guess is what nothing
 * was trained for, the oracle the true texture. Whole-face scores hide it, so it is taken on revealed pixels.
 */
import { clusterRatio, type Interval } from "./bootstrap.ts";
import { column, type Grid } from "./grid.ts";
import { type Draws, marginCells, type Measures } from "./measures.ts";

/** The two ends of the gap. */
export interface GapEnds<T> {
  readonly guess: readonly T[];
  readonly oracle: readonly T[];
}

/**
 * A cell a measure: the share of the gap that `scores` closes, in percent, with its bootstrap interval: the summed gain
 * over the summed gap of the things that all three scored. Null where there is no such thing, or where the gap's own
 * interval holds 0: a share of it would mean nothing.
 */
export function gapCells<T>(
  scores: readonly T[],
  { guess, oracle, ...measured }: GapEnds<T> & Measures<T> & Draws,
): (Interval | null)[] {
  const { measures, same, by, resamples, seed } = measured;
  const ends = [guess, oracle].map((scores) => new Map(scores.map((score) => [same(score), score])));
  return measures.map((measure) => {
    const [, of] = measure;
    const [gap] = marginCells(oracle, guess, { ...measured, measures: [measure] });
    if (gap === null || gap === undefined || gap.low <= 0 && gap.high >= 0) return null;
    const known = scores.flatMap((score) => {
      const [from, to] = ends.map((end) => end.get(same(score)));
      if (from === undefined || to === undefined) return [];
      const [value, low, high] = [of(score), of(from), of(to)];
      if (value === null || low === null || high === null) return [];
      const part = { above: 100 * (value - low), below: high - low };
      return [part.above, part.below].every(Number.isFinite) ? [{ part, cluster: by(score) }] : [];
    });
    return clusterRatio(known.map(({ part }) => part), {
      clusters: known.map(({ cluster }) => cluster),
      resamples,
      seed,
    });
  });
}

/**
 * The table of gains over the guess and of the shares of the gap that they close, two columns a measure; its last row
 * is the gap itself.
 */
export function gapGrid<T>(
  rows: readonly { readonly label: string; readonly scores: readonly T[]; readonly reference?: boolean }[],
  { title, notes = [], ...measured }: GapEnds<T> & Measures<T> & Draws & {
    readonly title: string;
    /** What stands below beside what the columns mean. */
    readonly notes?: readonly string[];
  },
): Grid {
  const cells = (scores: readonly T[]) => {
    const gains = marginCells(scores, measured.guess, measured);
    const shares = gapCells(scores, measured);
    return gains.flatMap((gain, i) => [gain, shares[i]!]);
  };
  return {
    title,
    columns: measured.measures.flatMap(([{ name, label, digits }]) => [
      column(`${name}_gain`, `${label}: gain`, null, digits),
      column(`${name}_share`, "share of the gap, %", null, 1),
    ]),
    rows: [
      ...rows.map(({ label, scores, reference = false }) => ({ label, cells: cells(scores), reference })),
      { label: ORACLE, cells: cells(measured.oracle), reference: true },
    ],
    notes: [
      "Gain: the row less the first guess, which nothing was trained for, on the same pair of views. " +
      "The last row's gain is the gap: what knowing the true texture would gain. Share: the summed gain over the " +
      'summed gap, of the same pairs. "—": the gap cannot be told from 0. ' +
      "95 % bootstrap intervals over heads.",
      ...notes,
    ],
  };
}

/** The label of the row that knows the truth. */
export const ORACLE = "true texture (oracle)";
/** The label of the row that nothing was trained for. */
export const GUESS = "first guess (not trained)";

/** The label of a row that knows the true colours of windows of the map, so many side by side. */
export function boundLabel(windows: number): string {
  return `first guess, true colours of windows of 1/${windows}`;
}

/** What such rows are. */
export const BOUNDS_NOTE =
  "The rows with true colours are no methods: the first guess, moved by its mean error over the " +
  "unseen texels of a window about each texel, as wide as the said part of the map (a face fills most of it). They " +
  "say what a method would gain that knew light and skin tone of the unseen half down to that detail.";

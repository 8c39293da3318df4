/** Columns of a table that are means over scores, and the same as differences of two rows. */
import { clusterMean, type Interval } from "./bootstrap.ts";
import type { GridColumn } from "./grid.ts";
import { pairedMean } from "./paired.ts";

/**
 * A column of a table, and the value that it takes from a score; null: the score says nothing of it. Equal pictures
 * have a PSNR of Infinity.
 */
export type Measure<T> = readonly [column: GridColumn, of: (score: T) => number | null];

/** What is measured on scores of one kind. */
export interface Measures<T> {
  readonly measures: readonly Measure<T>[];
  /** What was scored: a face, a view, a pair of views. */
  readonly same: (score: T) => string;
  /** Whose it is: what is resampled as one, see {@linkcode clusterMean}. */
  readonly by: (score: T) => string;
}

/** How intervals are drawn. */
export interface Draws {
  readonly resamples: number;
  readonly seed: number;
}

/** A cell a measure: the mean with its interval. */
export function meanCells<T>(scores: readonly T[], { measures, by }: Measures<T>, draws: Draws): (Interval | null)[] {
  return measures.map(([, of]) => {
    const known = scores.flatMap((score) => {
      const value = of(score);
      return value === null ? [] : [{ value, cluster: by(score) }];
    });
    return clusterMean(known.map(({ value }) => value), { clusters: known.map(({ cluster }) => cluster), ...draws });
  });
}

/** A cell a measure: the mean of `first − second` with its interval, see {@linkcode pairedMean}. */
export function marginCells<T>(
  first: readonly T[],
  second: readonly T[],
  { measures, same, by, ...draws }: Measures<T> & Draws,
): (Interval | null)[] {
  return measures.map(([, of]) => pairedMean(first, second, { same, of, by, ...draws }));
}

/** The columns of a table of means. */
export function columnsOf<T>({ measures }: Measures<T>): GridColumn[] {
  return measures.map(([column]) => column);
}

/** The columns of a table of differences, of which none is the best. */
export function marginColumns(columns: readonly GridColumn[]): GridColumn[] {
  return columns.map((column) => ({ ...column, better: null }));
}

/** Differences of two rows of a table on the same face, view or pair of views. */
import { clusterMean, type Interval } from "./bootstrap.ts";

/** How scores of two rows of a table are paired. */
export interface PairedOptions<T> {
  /** What was scored: scores of one thing are compared. */
  readonly same: (score: T) => string;
  /** The value that is compared; null: there is none. Infinite values, of equal pictures, are left out too. */
  readonly of: (score: T) => number | null;
  /** The cluster of a score, see {@linkcode clusterMean}. */
  readonly by: (score: T) => string;
  readonly resamples: number;
  readonly seed: number;
}

/**
 * The mean of `first − second` over the things that both scored, with its 95 % bootstrap interval. Some faces are hard
 * for every method, which widens the interval of each method's mean, but not that of the difference on one face.
 *
 * @returns null if there is no pair
 */
export function pairedMean<T>(
  first: readonly T[],
  second: readonly T[],
  { same, of, by, resamples, seed }: PairedOptions<T>,
): Interval | null {
  const others = new Map(second.map((score) => [same(score), of(score)]));
  const pairs = first.flatMap((score) => {
    const [a, b] = [of(score), others.get(same(score)) ?? null];
    return a === null || b === null || !Number.isFinite(a) || !Number.isFinite(b)
      ? []
      : [{ difference: a - b, cluster: by(score) }];
  });
  return clusterMean(pairs.map(({ difference }) => difference), {
    clusters: pairs.map(({ cluster }) => cluster),
    resamples,
    seed,
  });
}

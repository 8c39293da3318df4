/**
 * Means with bootstrap intervals. All tables take theirs from here, with one seed, so that their columns can be
 * compared.
 */
import { below, uniform } from "../../../nets/random.ts";

/** A mean with its percentile interval. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Draws with replacement, the same for every column of a table so that columns can be compared. */
export interface Resamples {
  readonly count: number;
  readonly draws: readonly Uint32Array[];
}

// A table asks for the same draws for each of its cells, and drawing costs more than all means.
const remembered = new Map<string, Resamples>();
const REMEMBERED = 8;

/**
 * Draws `resamples` times `count` of `count` things, with replacement.
 *
 * @param options.seed equal seeds give equal draws on every machine
 */
export function resample(count: number, { resamples, seed }: { resamples: number; seed: number }): Resamples {
  const key = `${count} ${resamples} ${seed}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const random = uniform(seed);
  const draws = Array.from({ length: resamples }, () => new Uint32Array(count));
  for (const draw of draws) for (let i = 0; i < count; i++) draw[i] = below(random, count);
  if (remembered.size === REMEMBERED) remembered.delete(remembered.keys().next().value!);
  remembered.set(key, { count, draws });
  return { count, draws };
}

/**
 * The mean of one value a face, and the interval that holds the middle 95 % of the means of the resamples (Efron's
 * percentile bootstrap). If a value is Infinity the mean is, too, and so are the ends.
 *
 * @throws {RangeError} if there is no value, or not as many as the resamples were drawn for
 */
export function bootstrapMean(values: readonly number[], { count, draws }: Resamples): Interval {
  if (values.length === 0) throw new RangeError("Cannot take the mean of no value");
  if (values.length !== count) throw new RangeError(`Cannot resample ${values.length} values with draws for ${count}`);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const means = draws.map((draw) => draw.reduce((sum, index) => sum + (values[index] as number), 0) / count);
  means.sort(ascending);
  return { mean, low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

/**
 * As {@linkcode bootstrapMean}, of values that come in clusters (views of one head are no independent witnesses): whole
 * clusters are resampled.
 *
 * @param options.clusters the cluster of each value
 * @returns null if there is no value
 */
export function clusterMean(
  values: readonly number[],
  { clusters, resamples, seed }: { clusters: readonly string[]; resamples: number; seed: number },
): Interval | null {
  return clusterRatio(values.map((above) => ({ above, below: 1 })), { clusters, resamples, seed });
}

/**
 * The sum of `above` over the sum of `below`, with its interval as of {@linkcode clusterMean}.
 *
 * @param options.clusters the cluster of each part
 * @returns null if there is no part
 */
export function clusterRatio(
  parts: readonly { readonly above: number; readonly below: number }[],
  { clusters, resamples, seed }: { clusters: readonly string[]; resamples: number; seed: number },
): Interval | null {
  if (parts.length === 0) return null;
  const members = [...Map.groupBy(parts.keys(), (i) => clusters[i]!)].sort(([a], [b]) => (a < b ? -1 : 1));
  const sums = members.map(([, indices]) => indices.reduce((sum, i) => sum + parts[i]!.above, 0));
  const counts = members.map(([, indices]) => indices.reduce((sum, i) => sum + parts[i]!.below, 0));
  const pooled = (chosen: Iterable<number>) => {
    let sum = 0;
    let count = 0;
    for (const cluster of chosen) {
      sum += sums[cluster]!;
      count += counts[cluster]!;
    }
    return sum / count;
  };
  const means = resample(members.length, { resamples, seed }).draws.map(pooled).sort(ascending);
  return { mean: pooled(members.keys()), low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

// a − b would be NaN for two infinities
function ascending(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Quantile of ascending values, linear between neighbours (the default of numpy). */
export function quantile(ascending: readonly number[], q: number): number {
  if (ascending.length === 0) throw new RangeError("Cannot take a quantile of no value");
  const at = q * (ascending.length - 1);
  const low = ascending[Math.floor(at)] as number, high = ascending[Math.ceil(at)] as number;
  return low === high ? low : low + (high - low) * (at - Math.floor(at));
}

/** Table 1 as numbers: means over faces, intervals, and the best of each column. Its formats are written from this. */
import { bootstrapMean, type Interval, resample } from "./bootstrap.ts";
import { type Measurement, scoreOf } from "../../scores/parts/measurements.ts";
import {
  type Method,
  METHODS,
  type Metric,
  METRIC_STYLES,
  type Region,
  REGION_METRICS,
  REGIONS,
} from "../../scores/parts/methods.ts";

/** One cell of Table 1. */
export interface Cell extends Interval {
  /** Whether no method has a better mean in this column. */
  readonly best: boolean;
}

/** All cells: `cells[region][method][metric]`, for the metrics that the region has. */
export interface Summary {
  readonly faces: readonly string[];
  readonly cells: Readonly<Record<Region, Readonly<Record<Method, Readonly<Partial<Record<Metric, Cell>>>>>>>;
}

/**
 * Means over faces, 95 % intervals and the best of each column. PSNR is the mean of the faces' PSNR.
 *
 * @param measurements one a face, in any order
 * @param options.resamples bootstrap samples, and the `seed` that they are drawn with
 * @throws {RangeError} if there is no face
 */
export function summarise(
  measurements: readonly Measurement[],
  { resamples, seed }: { resamples: number; seed: number },
): Summary {
  if (measurements.length === 0) throw new RangeError("Cannot make Table 1: no face was measured");
  const sorted = measurements.toSorted((a, b) => (a.face < b.face ? -1 : 1));
  const draws = resample(sorted.length, { resamples, seed });
  const mapped = <K extends string, V>(keys: readonly K[], value: (key: K) => V) =>
    Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
  const column = (region: Region, metric: Metric): Record<Method, Cell> => {
    const intervals = mapped(METHODS, (method) => {
      const values = sorted.map(({ methods }) => scoreOf(methods[method], { region, metric }) ?? NaN);
      return bootstrapMean(values, draws);
    });
    const means = METHODS.map((method) => intervals[method].mean);
    const best = METRIC_STYLES[metric].better === "lower" ? Math.min(...means) : Math.max(...means);
    return mapped(METHODS, (method) => ({ ...intervals[method], best: intervals[method].mean === best }));
  };
  const cells = mapped(REGIONS, (region) => {
    const columns = REGION_METRICS[region].map((metric) => [metric, column(region, metric)] as const);
    return mapped(METHODS, (method) => Object.fromEntries(columns.map(([metric, cells]) => [metric, cells[method]])));
  });
  return { faces: sorted.map(({ face }) => face), cells };
}

/** A cell that the region has. Throws `RangeError` for one that it lacks. */
export function cellOf(
  { cells }: Summary,
  { region, method, metric }: { region: Region; method: Method; metric: Metric },
): Cell {
  const cell = cells[region][method][metric];
  if (cell === undefined) throw new RangeError(`Table 1 has no ${metric} on the ${region} region`);
  return cell;
}

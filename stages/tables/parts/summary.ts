/** Table 1 as numbers: means over faces, intervals, and the best of each column. Its formats are written from this. */
import { bootstrapMean, type Interval, resample } from "./bootstrap.ts";
import { type Measurement, scoreOf } from "../../scores/parts/measurements.ts";
import {
  type Method,
  type Metric,
  METRIC_STYLES,
  type Region,
  REGION_METRICS,
  REGIONS,
} from "../../scores/parts/methods.ts";
import { type NetworkRow, TABLE1_ROWS, type Table1Row } from "../../scores/parts/table1_rows.ts";

/** One cell of Table 1. */
export interface Cell extends Interval {
  /** Whether no row has a better mean in this column. */
  readonly best: boolean;
}

/** Cells of a row, for the metrics that the region has. */
type RowCells = Readonly<Partial<Record<Metric, Cell>>>;

/** All rows, and all cells: `cells[region][row][metric]`. */
export interface Summary {
  readonly faces: readonly string[];
  /** In the table's order, with those that nothing was measured of. */
  readonly rows: readonly Table1Row[];
  readonly cells: Readonly<
    Record<Region, Readonly<Record<Method, RowCells>> & Readonly<Partial<Record<NetworkRow, RowCells>>>>
  >;
}

/**
 * Means over faces, 95 % intervals and the best of each column. PSNR is the mean of the faces' PSNR.
 *
 * @param measurements one a face, in any order
 * @param options.resamples bootstrap samples, and the `seed` that they are drawn with
 * @param options.absent rows without measurements
 * @throws {RangeError} if there is no face
 */
export function summarise(
  measurements: readonly Measurement[],
  { resamples, seed, absent = [] }: { resamples: number; seed: number; absent?: readonly NetworkRow[] },
): Summary {
  if (measurements.length === 0) throw new RangeError("Cannot make Table 1: no face was measured");
  const sorted = measurements.toSorted((a, b) => (a.face < b.face ? -1 : 1));
  const draws = resample(sorted.length, { resamples, seed });
  const mapped = <K extends string, V>(keys: readonly K[], value: (key: K) => V) =>
    Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
  const measured = TABLE1_ROWS.filter((row) => sorted[0]!.methods[row] !== undefined);
  const column = (region: Region, metric: Metric): Record<Table1Row, Cell> => {
    const intervals = mapped(measured, (row) => {
      const values = sorted.map(({ methods }) => {
        const scores = methods[row];
        return scores === undefined ? NaN : scoreOf(scores, { region, metric }) ?? NaN;
      });
      return bootstrapMean(values, draws);
    });
    const means = measured.map((row) => intervals[row].mean);
    const best = METRIC_STYLES[metric].better === "lower" ? Math.min(...means) : Math.max(...means);
    return mapped(measured, (row) => ({ ...intervals[row], best: intervals[row].mean === best }));
  };
  const cells = mapped(REGIONS, (region) => {
    const columns = REGION_METRICS[region].map((metric) => [metric, column(region, metric)] as const);
    return mapped(measured, (row) => Object.fromEntries(columns.map(([metric, cells]) => [metric, cells[row]])));
  });
  const rows = TABLE1_ROWS.filter((row) => measured.includes(row) || absent.some((one) => one === row));
  return { faces: sorted.map(({ face }) => face), rows, cells };
}

/** A cell that the region has; null of a row without measurements. Throws `RangeError` for one that it lacks. */
export function cellOf(
  { cells }: Summary,
  { region, row, metric }: { region: Region; row: Table1Row; metric: Metric },
): Cell | null {
  const found = cells[region][row];
  if (found === undefined) return null;
  const cell = found[metric];
  if (cell === undefined) throw new RangeError(`Table 1 has no ${metric} on the ${region} region`);
  return cell;
}

/** Table 1 and the scores of each face as CSV. */
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { type Measurement, scoreOf } from "../../scores/parts/measurements.ts";
import { METRICS, REGIONS } from "../../scores/parts/methods.ts";
import { paperValue, ROW_LABELS, TABLE1_ROWS } from "../../scores/parts/table1_rows.ts";
import type { Summary } from "./summary.ts";

/**
 * Table 1 as CSV: one row a region and method; each metric with the ends of its interval, then the paper's values
 * (empty: lost).
 */
export function table1Csv(summary: Summary): string {
  const rows = REGIONS.flatMap((region) =>
    summary.rows.map((row) => ({
      region,
      method: ROW_LABELS[row],
      faces: summary.cells[region][row] === undefined ? 0 : summary.faces.length,
      ...Object.fromEntries(METRICS.flatMap((metric) => {
        const cell = summary.cells[region][row]?.[metric];
        return [[metric, number(cell?.mean)], [`${metric}_low`, number(cell?.low)], [
          `${metric}_high`,
          number(cell?.high),
        ]];
      })),
      ...Object.fromEntries(METRICS.map((metric) => [
        `paper_${metric}`,
        paperValue(row, { metric, rows: summary.rows }) ?? "",
      ])),
    }))
  );
  return `${papaparse.unparse(rows, { newline: "\n" })}\n`;
}

/** Every score as CSV: one row a face, method or network, and region. */
export function metricsCsv(measurements: readonly Measurement[]): string {
  const rows = measurements.toSorted((a, b) => (a.face < b.face ? -1 : 1)).flatMap(({ face, methods }) =>
    TABLE1_ROWS.flatMap((row) => {
      const scores = methods[row];
      if (scores === undefined) return [];
      return REGIONS.map((region) => ({
        face,
        method: ROW_LABELS[row],
        region,
        ...Object.fromEntries(METRICS.map((metric) => [metric, number(scoreOf(scores, { region, metric }))])),
      }));
    })
  );
  return `${papaparse.unparse(rows, { newline: "\n" })}\n`;
}

/** Six decimals: beyond what any two machines agree on. Empty where the region lacks the metric. */
function number(value: number | undefined): string {
  if (value === undefined) return "";
  return Number.isFinite(value) ? value.toFixed(6) : "Infinity";
}

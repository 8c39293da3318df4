/** Table 1 as text for a terminal. */
import {
  formatPaper,
  formatScore,
  METRIC_STYLES,
  REGION_LABELS,
  REGION_METRICS,
  REGIONS,
} from "../../scores/parts/methods.ts";
import { paperValue, ROW_LABELS } from "../../scores/parts/table1_rows.ts";
import { cellOf, type Summary } from "./summary.ts";
import { alignColumns, wrapped } from "./terminal.ts";

/** Table 1 for a terminal: at most 80 columns, the best of a column marked with a star, the notes wrapped below. */
export function table1Console(summary: Summary, notes: readonly string[]): string {
  const lines: string[] = [];
  for (const region of REGIONS) {
    const rows = [[
      REGION_LABELS[region],
      ...REGION_METRICS[region].map((metric) =>
        `${METRIC_STYLES[metric].label} ${METRIC_STYLES[metric].better === "lower" ? "↓" : "↑"}`
      ),
      ...(region === "masked" ? ["paper PSNR"] : []),
    ]];
    for (const row of summary.rows) {
      const scores = REGION_METRICS[region].map((metric) => {
        const cell = cellOf(summary, { region, row, metric });
        return cell === null ? "—" : `${cell.best ? "*" : ""}${formatScore(metric, cell.mean)}`;
      });
      const printed = paperValue(row, { metric: "psnr", rows: summary.rows });
      rows.push([ROW_LABELS[row], ...scores, ...(region === "masked" ? [formatPaper("psnr", printed)] : [])]);
    }
    lines.push(...alignColumns(rows), "");
  }
  return [...lines, ...notes.flatMap((note) => wrapped(note.replace("Bold:", "Star:")))].join("\n") + "\n";
}

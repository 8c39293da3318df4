/** Table 1 as text for a terminal. */
import {
  formatPaper,
  formatScore,
  METHOD_LABELS,
  METHODS,
  METRIC_STYLES,
  REGION_LABELS,
  REGION_METRICS,
  REGIONS,
} from "../../scores/parts/methods.ts";
import { cellOf, type Summary } from "./summary.ts";

/** Columns of a terminal. */
const TERMINAL = 80;

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
    for (const method of METHODS) {
      const scores = REGION_METRICS[region].map((metric) => {
        const { mean, best } = cellOf(summary, { region, method, metric });
        return `${best ? "*" : ""}${formatScore(metric, mean)}`;
      });
      rows.push([METHOD_LABELS[method], ...scores, ...(region === "masked" ? [formatPaper(method, "psnr")] : [])]);
    }
    lines.push(...align(rows), "");
  }
  return [...lines, ...notes.flatMap((note) => wrap(note.replace("Bold:", "Star:"), TERMINAL))].join("\n") + "\n";
}

function align(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const wide = widths.reduce((sum, width) => sum + width, 0) + 2 * (widths.length - 1) > TERMINAL;
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)).join(
      wide ? " " : "  ",
    )
  );
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

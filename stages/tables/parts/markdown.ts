/** Table 1 as Markdown. */
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

/** Table 1 in Markdown: one table a region, the paper's L1 and PSNR beside the face mask's, and the notes below. */
export function table1Markdown(summary: Summary, notes: readonly string[]): string {
  const lines = ["# Table 1", ""];
  for (const region of REGIONS) {
    const paper = region === "masked" ? (["l1", "psnr"] as const) : [];
    const head = [
      "method",
      ...REGION_METRICS[region].map((metric) =>
        `${METRIC_STYLES[metric].label} ${METRIC_STYLES[metric].better === "lower" ? "↓" : "↑"}`
      ),
      ...paper.map((metric) => `paper ${METRIC_STYLES[metric].label}`),
    ];
    lines.push(`**${REGION_LABELS[region]}**`, "", line(head), line(head.map((_, i) => (i === 0 ? ":--" : "--:"))));
    for (const row of summary.rows) {
      const scores = REGION_METRICS[region].map((metric) => {
        const cell = cellOf(summary, { region, row, metric });
        if (cell === null) return "—";
        const { mean, low, high, best } = cell;
        const text = formatScore(metric, mean);
        return `${best ? `**${text}**` : text} [${formatScore(metric, low)}, ${formatScore(metric, high)}]`;
      });
      const printed = paper.map((metric) => formatPaper(metric, paperValue(row, { metric, rows: summary.rows })));
      lines.push(line([ROW_LABELS[row], ...scores, ...printed]));
    }
    lines.push("");
  }
  return [...lines, ...notes.flatMap((note) => [escape(note), ""])].join("\n").trimEnd() + "\n";
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Keeps names with underscores and stars from turning into emphasis. */
function escape(text: string): string {
  return text.replace(/[\\`*_|<]/g, "\\$&");
}

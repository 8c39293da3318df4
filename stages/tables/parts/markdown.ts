/** Table 1 as Markdown. */
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
    lines.push(`**${REGION_LABELS[region]}**`, "", row(head), row(head.map((_, i) => (i === 0 ? ":--" : "--:"))));
    for (const method of METHODS) {
      const scores = REGION_METRICS[region].map((metric) => {
        const { mean, low, high, best } = cellOf(summary, { region, method, metric });
        const text = formatScore(metric, mean);
        return `${best ? `**${text}**` : text} [${formatScore(metric, low)}, ${formatScore(metric, high)}]`;
      });
      lines.push(row([METHOD_LABELS[method], ...scores, ...paper.map((metric) => formatPaper(method, metric))]));
    }
    lines.push("");
  }
  return [...lines, ...notes.flatMap((note) => [escape(note), ""])].join("\n").trimEnd() + "\n";
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Keeps names with underscores and stars from turning into emphasis. */
function escape(text: string): string {
  return text.replace(/[\\`*_|<]/g, "\\$&");
}

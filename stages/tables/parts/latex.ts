/** Table 1 as LaTeX. */
import {
  formatPaper,
  formatScore,
  METRIC_STYLES,
  METRICS,
  REGION_LABELS,
  REGION_METRICS,
  REGIONS,
} from "../../scores/parts/methods.ts";
import { paperValue, ROW_LABELS } from "../../scores/parts/table1_rows.ts";
import { cellOf, type Summary } from "./summary.ts";

const SPECIAL: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "—": "---",
  "−": "$-$",
  "×": "$\\times$",
  "∞": "$\\infty$",
  "°": "$^\\circ$",
  "…": "\\dots{}",
  "·": "$\\cdot$",
};

/** Table 1 for LaTeX: a `table` float that needs `\usepackage{booktabs}` and nothing else, to be read with `\input`. */
export function table1Latex(summary: Summary, notes: readonly string[]): string {
  const columns = METRICS.length + 1;
  const lines = [
    "% \\usepackage{booktabs}",
    "\\begin{table}",
    "\\centering",
    "\\caption{Texture reconstruction: mean over faces.}",
    "\\label{tab:ftim-table1}",
    `\\begin{tabular}{l${"r".repeat(columns)}}`,
    "\\toprule",
  ];
  for (const region of REGIONS) {
    const paper = region === "masked" ? (["l1", "psnr"] as const) : [];
    const blank = " &".repeat(columns - REGION_METRICS[region].length - paper.length);
    const arrow = (metric: typeof METRICS[number]) =>
      METRIC_STYLES[metric].better === "lower" ? "$\\downarrow$" : "$\\uparrow$";
    const head = [
      `\\textit{${REGION_LABELS[region]}}`,
      ...REGION_METRICS[region].map((metric) => `${METRIC_STYLES[metric].label} ${arrow(metric)}`),
      ...paper.map((metric) => `paper ${METRIC_STYLES[metric].label}`),
    ];
    lines.push(`${head.join(" & ")}${blank} \\\\`, "\\midrule");
    for (const row of summary.rows) {
      const scores = REGION_METRICS[region].map((metric) => {
        const cell = cellOf(summary, { region, row, metric });
        const text = latexText(cell === null ? "—" : formatScore(metric, cell.mean));
        return cell?.best ? `\\textbf{${text}}` : text;
      });
      const printed = paper.map((metric) =>
        latexText(formatPaper(metric, paperValue(row, { metric, rows: summary.rows })))
      );
      lines.push(`${[ROW_LABELS[row], ...scores, ...printed].join(" & ")}${blank} \\\\`);
    }
    lines.push(region === REGIONS.at(-1) ? "\\bottomrule" : "\\midrule");
  }
  lines.push("\\end{tabular}", "", "\\smallskip", "\\begin{minipage}{\\linewidth}\\footnotesize");
  // This form prints no interval; the Markdown and CSV forms do.
  const printed = notes.map((note) => note.replace(" with the 95 % bootstrap interval over faces", ""));
  lines.push(printed.map(latexText).join("\n\n"), "\\end{minipage}", "\\end{table}");
  return lines.join("\n") + "\n";
}

/** Plain text with LaTeX's special characters written so that they print. */
export function latexText(text: string): string {
  return text.replace(/"([^"]*)"/g, "``$1''").replace(
    /[\\~^—−×∞°…·]|[&%$#_{}]/g,
    (character) => SPECIAL[character] ?? `\\${character}`,
  );
}

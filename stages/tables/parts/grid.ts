/**
 * A table of means with intervals: rows are methods or variants, columns are metrics, perhaps by group. Every table but
 * the first is one of these; it is written as Markdown, CSV and LaTeX from the same values.
 */
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import type { Interval } from "./bootstrap.ts";
import { latexText } from "./latex.ts";

/** A column. */
export interface GridColumn {
  /** Name in the CSV, in snake case. */
  readonly name: string;
  readonly label: string;
  /** Which way it improves; null: neither, so no cell is the best. */
  readonly better: "lower" | "higher" | null;
  readonly digits: number;
}

/** Makes a column; four in a row read like the table's head, so they are positional here. */
export function column(name: string, label: string, better: GridColumn["better"], digits: number): GridColumn {
  return { name, label, better, digits };
}

/** A row: its label, and one cell a column; null: no value. */
export interface GridRow {
  readonly label: string;
  readonly cells: readonly (Interval | number | null)[];
  /** Whether it stands there to compare with, and is never the best. Default false. */
  readonly reference?: boolean;
}

/** A table. */
export interface Grid {
  readonly title: string;
  readonly columns: readonly GridColumn[];
  readonly rows: readonly GridRow[];
  /** Sentences below it, without markup. */
  readonly notes: readonly string[];
}

/** Whether a cell has the best mean of its column. */
export function isBest(grid: Grid, { row, column }: { row: number; column: number }): boolean {
  const { better } = grid.columns[column]!;
  const value = meanAt(grid.rows[row]!, column);
  if (better === null || value === null || grid.rows[row]!.reference === true) return false;
  const rivals = grid.rows.filter(({ reference = false }) => !reference);
  const means = rivals.map((each) => meanAt(each, column)).filter((mean) => mean !== null);
  return value === (better === "lower" ? Math.min(...means) : Math.max(...means));
}

function meanAt({ cells }: GridRow, column: number): number | null {
  const cell = cells[column] ?? null;
  return cell === null || typeof cell === "number" ? cell : cell.mean;
}

/** A cell's mean as the table prints it; "—": it has none. */
export function meanText(row: GridRow, { grid, column }: { readonly grid: Grid; readonly column: number }): string {
  const mean = meanAt(row, column);
  return mean === null ? "—" : fixed(mean, grid.columns[column]!.digits);
}

/** A value with so many digits; the PSNR of equal pictures as "∞". */
function fixed(value: number, digits: number): string {
  return value === Infinity ? "∞" : value.toFixed(digits);
}

const arrow = ({ label, better }: GridColumn) => better === null ? label : `${label} ${better === "lower" ? "↓" : "↑"}`;

/** Markdown: a heading, the table with intervals, the notes. */
export function gridMarkdown(grid: Grid): string {
  const { title, columns, rows, notes } = grid;
  const lines = [
    `# ${title}`,
    "",
    `| | ${columns.map(arrow).join(" | ")} |`,
    `| :-- | ${columns.map(() => "--:").join(" | ")} |`,
    ...rows.map((row, r) => {
      const cells = columns.map(({ digits }, column) => {
        const cell = row.cells[column] ?? null;
        const text = meanText(row, { grid, column });
        const mean = isBest(grid, { row: r, column }) ? `**${text}**` : text;
        if (cell === null || typeof cell === "number") return mean;
        return `${mean} [${fixed(cell.low, digits)}, ${fixed(cell.high, digits)}]`;
      });
      return `| ${row.label} | ${cells.join(" | ")} |`;
    }),
    ...notes.flatMap((note) => ["", note]),
  ];
  return lines.join("\n") + "\n";
}

/** CSV: one line a row; each column with the ends of its interval, where it has one. */
export function gridCsv({ columns, rows }: Grid): string {
  const records = rows.map(({ label, cells }) => ({
    row: label,
    ...Object.fromEntries(columns.flatMap(({ name }, column) => {
      const cell = cells[column] ?? null;
      if (cell === null || typeof cell === "number") return [[name, cell?.toFixed(6) ?? ""]];
      return [[name, cell.mean.toFixed(6)], [`${name}_low`, cell.low.toFixed(6)], [
        `${name}_high`,
        cell.high.toFixed(6),
      ]];
    })),
  }));
  const fields = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return `${papaparse.unparse({ fields, data: records }, { newline: "\n" })}\n`;
}

/** LaTeX: a `table` float that needs `booktabs`; means only. */
export function gridLatex(grid: Grid, { label }: { label: string }): string {
  const { title, columns, rows, notes } = grid;
  const head = columns.map((column) =>
    latexText(column.label) +
    (column.better === null ? "" : column.better === "lower" ? " $\\downarrow$" : " $\\uparrow$")
  );
  const lines = [
    "% \\usepackage{booktabs}",
    "\\begin{table}",
    "\\centering",
    `\\caption{${latexText(title)}}`,
    `\\label{tab:ftim-${label}}`,
    `\\begin{tabular}{l${"r".repeat(columns.length)}}`,
    "\\toprule",
    `${["", ...head].join(" & ")} \\\\`,
    "\\midrule",
    ...rows.map((row, r) => {
      const cells = columns.map((_, column) => {
        const text = latexText(meanText(row, { grid, column }));
        return isBest(grid, { row: r, column }) ? `\\textbf{${text}}` : text;
      });
      return `${[latexText(row.label), ...cells].join(" & ")} \\\\`;
    }),
    "\\bottomrule",
    "\\end{tabular}",
    "",
    "\\smallskip",
    "\\begin{minipage}{\\linewidth}\\footnotesize",
    notes.map(latexText).join("\n\n"),
    "\\end{minipage}",
    "\\end{table}",
  ];
  return lines.join("\n") + "\n";
}

/** The three forms by file name. */
export function gridFiles(grid: Grid, name: string): Readonly<Record<string, string>> {
  return {
    [`${name}.md`]: gridMarkdown(grid),
    [`${name}.csv`]: gridCsv(grid),
    [`${name}.tex`]: gridLatex(grid, { label: name }),
  };
}

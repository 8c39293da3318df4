/**
 * The numbers of a Markdown page, filled in from the tables that runs published, so that no hand copies them. What the
 * marks in the page mean, page_marks.ts says.
 */
import { METHOD_LABELS } from "../stages/scores/parts/methods.ts";
import { jsonNumber } from "./page_json.ts";
import { between, CELLS, jsonSource, LIST, requireWhole, source, sources, VALUE } from "./page_marks.ts";
import {
  chosen,
  find,
  numberOf,
  numberText,
  plain,
  type ReadPublished,
  type Rows,
  type RowsOf,
  type Source,
  tableRows,
} from "./page_tables.ts";

/**
 * The page with every marked number as the published tables have it, in the page's own form: so many decimals, with an
 * interval or without. The best method of a column is bold where one was.
 *
 * @throws {Error} naming the mark, where a file, a row or a column is not there, or a column of the page shows no
 * number whose form could be kept
 */
export function filledPage(page: string, read: ReadPublished): string {
  requireWhole(page);
  const tables = new Map<string, Rows>();
  const rowsOf: RowsOf = (file) => {
    const known = tables.get(file);
    if (known !== undefined) return known;
    const rows = tableRows(read(`${file}.csv`));
    tables.set(file, rows);
    return rows;
  };
  const table = (whole: string, marks: string, text: string) =>
    attempt(marks, () => whole.slice(0, -text.length) + filledTable(text, { sources: sources(marks), rowsOf }));
  const value = (whole: string, mark: string, text: string) =>
    attempt(mark, () => {
      const json = jsonSource(mark);
      const number = json === undefined
        ? numberOf(source(mark), { rowsOf, like: text })
        : jsonNumber(read(json.file), { ...json, like: text });
      return between(whole, number);
    });
  const list = (whole: string, group: string, choice: string, mark: string) =>
    attempt(mark, () => between(whole, chosen(source(mark), { rowsOf, group, choice }).join("; ") || "none"));
  return page.replaceAll(CELLS, table).replaceAll(VALUE, value).replaceAll(LIST, list);
}

function attempt(mark: string, fill: () => string): string {
  try {
    return fill();
  } catch (error) {
    throw new Error(`<!-- … ${mark.trim()} -->: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Filling {
  readonly sources: readonly (Source | undefined)[];
  readonly rowsOf: RowsOf;
}

function filledTable(text: string, { sources, rowsOf }: Filling): string {
  const [header = "", rule = "", ...lines] = text.trimEnd().split("\n");
  const width = header.split("|").length - 3;
  if (sources.length !== width) throw new Error(`${sources.length} sources for ${width} columns`);
  const table = lines.map((text) => text.split("|").slice(1, -1).map((cell) => cell.trim()));
  const labels = table.map(([label = ""]) => label);
  const columns = sources.map((source, i) => {
    const old = table.map((row) => row[i + 1] ?? "");
    if (source === undefined) return old;
    const like = old.find((cell) => /\d/.test(cell));
    if (like === undefined) throw new Error(`column ${i + 1} shows no number whose form could be kept`);
    const filled = labels.map((label) => cellOf(source, { label, rowsOf, like }));
    const bold = old.some((cell) => cell.startsWith("**"));
    return bold ? withBest(filled, { source, labels }) : filled.map(({ text }) => text);
  });
  for (const label of labels) {
    const known = sources.some((source) => source !== undefined && find(source, { label, rowsOf }) !== undefined);
    if (!known) throw new Error(`no row is called "${label}"`);
  }
  const filled = labels.map((label, row) => line([label, ...columns.map((column) => column[row] ?? "")]));
  return `${[header, rule, ...filled].join("\n")}${text.endsWith("\n") ? "\n" : ""}`;
}

function line(cells: readonly string[]): string {
  return `|${cells.map((cell) => cell === "" ? " |" : ` ${cell} |`).join("")}`;
}

interface Cell {
  readonly text: string;
  readonly value: number;
}

/** What a table has for a row of the page; empty where it has nothing. */
function cellOf(
  source: Source,
  { label, rowsOf, like }: { readonly label: string; readonly rowsOf: RowsOf; readonly like: string },
): Cell {
  const row = find(source, { label, rowsOf });
  if (row === undefined || (row[source.column] ?? "") === "") return { text: "", value: NaN };
  return { text: numberText(row, { column: source.column, like }), value: Number(row[source.column]) };
}

/** The cells of a column with the best method's in bold. L1 and LPIPS are distances, so less is better. */
function withBest(
  cells: readonly Cell[],
  { source: { file, column }, labels }: { readonly source: Source; readonly labels: readonly string[] },
): readonly string[] {
  const sign = /l1$/.test(column) || /lpips/.test(file) ? -1 : 1;
  const isMethod = (i: number) => Object.values(METHOD_LABELS).includes(plain(labels[i]!));
  const best = Math.max(...cells.map(({ value }, i) => isMethod(i) && !Number.isNaN(value) ? sign * value : -Infinity));
  return cells.map(({ text, value }, i) => isMethod(i) && sign * value === best ? `**${text}**` : text);
}

/**
 * The numbers of a Markdown page, filled in from the tables that runs published, so that no hand copies them.
 *
 * HTML comments, which a reader of the page does not see, say where each number comes from:
 *
 * - `<!-- cells: A | B -->` before a table: one source a column, after the column of labels;
 * - `<!-- value: A -->0.43<!-- / -->`: one number of a sentence;
 * - `<!-- methods that hold 0: A -->DECA; Deng<!-- / -->`: the rows whose interval of a difference holds 0.
 *   `comparators` or `losses` stands in the place of `methods`, `are below 0` or `are above 0` in that of `hold 0`.
 *
 * A source is `file[row].column`: the file without `.csv` in `results/`, what its first column says, and the column.
 * `*` in the row is the label in the page's table, and a row alone is that. What is left out is as in the source
 * before.
 */
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { COMPARATORS, METHOD_LABELS, METHODS } from "../stages/scores/parts/methods.ts";

/** A published table: what each row says by column. The first column is the row's label. */
export type Rows = readonly Readonly<Record<string, string>>[];

/** The text of a published table, by its name without `.csv`. */
export type ReadTable = (name: string) => string;

interface Source {
  readonly file: string;
  readonly row: string;
  readonly column: string;
}

const SOURCE = /^([\w/-]*)(?:\[(.+)\])?\.(\w+)$/;
const GROUP = "methods|comparators|losses";
const CHOICE = "hold 0|are below 0|are above 0";
/** What a comment says, and what stands between it and the comment that closes it. */
const [SAYS, TEXT, CLOSED] = ["((?:(?!-->)[^])*)-->", "((?:(?!<!--)[^])*)", "<!-- / -->"];
const CELLS = new RegExp(`<!-- cells:${SAYS}\\n((?:\\|.*(?:\\n|$))+)`, "g");
const VALUE = new RegExp(`<!-- value:${SAYS}${TEXT}${CLOSED}`, "g");
const LIST = new RegExp(`<!-- (${GROUP}) that (${CHOICE}):${SAYS}${TEXT}${CLOSED}`, "g");
/** A comment that is meant as a mark: some words and a colon. */
const MARK = /<!-- ([^:>]+):(?:(?!-->)[^])*-->/g;

/** The rows that a list chooses from. */
const GROUPS: Readonly<Record<string, (label: string) => boolean>> = {
  methods: (label) => METHODS.some((method) => method !== "ours" && METHOD_LABELS[method] === label),
  comparators: (label) => COMPARATORS.some((method) => METHOD_LABELS[method] === label),
  losses: (label) => label.startsWith("without ") && !label.startsWith("without FTIM"),
};

/** What an interval of a list's rows does. */
const CHOICES: Readonly<Record<string, (low: number, high: number) => boolean>> = {
  "hold 0": (low, high) => low <= 0 && high >= 0,
  "are below 0": (_, high) => high < 0,
  "are above 0": (low) => low > 0,
};

/**
 * The page with every marked number as the published tables have it, in the page's own form: so many decimals, with an
 * interval or without. The best method of a column is bold where one was.
 *
 * @throws {Error} naming the mark, where a file, a row or a column is not there, or a column of the page shows no
 * number whose form could be kept
 */
export function filledPage(page: string, read: ReadTable): string {
  requireWhole(page);
  const tables = new Map<string, Rows>();
  const rowsOf = (file: string): Rows => {
    const known = tables.get(file);
    if (known !== undefined) return known;
    const rows = tableRows(read(file));
    tables.set(file, rows);
    return rows;
  };
  const table = (whole: string, marks: string, text: string) =>
    attempt(marks, () => whole.slice(0, -text.length) + filledTable(text, { sources: sources(marks), rowsOf }));
  const value = (whole: string, mark: string, text: string) =>
    attempt(mark, () => between(whole, numberOf(source(mark), { rowsOf, like: text })));
  const list = (whole: string, group: string, choice: string, mark: string) =>
    attempt(mark, () => between(whole, chosen(source(mark), { rowsOf, group, choice }).join("; ") || "none"));
  return page.replaceAll(CELLS, table).replaceAll(VALUE, value).replaceAll(LIST, list);
}

/** The mark with other text between it and the comment that closes it. */
function between(whole: string, text: string): string {
  return `${whole.slice(0, whole.indexOf("-->"))}-->${text}${CLOSED}`;
}

/**
 * @throws {Error} naming a mark that has a wrong name, no end, or no table below it, and would fill nothing in; or one
 * of a sentence that begins a line, where Markdown would take the rest of the line for HTML
 */
function requireWhole(page: string): void {
  const [first] = /^ *<!-- (?!cells:)[^:>]+:.*?-->/m.exec(page) ?? [];
  if (first !== undefined) throw new Error(`${first.trim()} begins a line: write a word of its sentence before it`);
  const whole = new Set([CELLS, VALUE, LIST].flatMap((form) => [...page.matchAll(form)].map(({ index }) => index)));
  for (const { 0: mark, 1: name = "", index } of page.matchAll(MARK)) {
    if (whole.has(index)) continue;
    if (name === "cells") throw new Error(`${mark} stands before no table`);
    if (!new RegExp(`^(value|(${GROUP}) that (${CHOICE}))$`).test(name)) {
      throw new Error(`${mark}: no mark is called so`);
    }
    throw new Error(`${mark} is not closed by ${CLOSED}`);
  }
}

/** A published table's rows. In Table 1, those of the face mask: pages show no others. */
function tableRows(text: string): Rows {
  const { data } = papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
  return data.filter((row) => (row.region ?? "masked") === "masked");
}

function source(mark: string): Source {
  const [only, more] = sources(mark);
  if (only === undefined || more !== undefined) throw new Error("it must have one source");
  return only;
}

function attempt(mark: string, fill: () => string): string {
  try {
    return fill();
  } catch (error) {
    throw new Error(`<!-- … ${mark.trim()} -->: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function sources(marks: string): readonly (Source | undefined)[] {
  let file = "";
  return marks.split("|").map((mark) => {
    const text = mark.trim();
    if (text === "") return undefined;
    const [, named, row = "*", column] = SOURCE.exec(text) ?? [];
    if (column === undefined) throw new Error(`"${text}" is no source; write file[row].column`);
    if (named !== undefined && named !== "") file = named;
    if (file === "") throw new Error(`"${text}" names no file`);
    return { file, row, column };
  });
}

interface Filling {
  readonly sources: readonly (Source | undefined)[];
  readonly rowsOf: (file: string) => Rows;
}

function filledTable(text: string, { sources, rowsOf }: Filling): string {
  const [header = "", rule = "", ...lines] = text.trimEnd().split("\n");
  const width = header.split("|").length - 3;
  if (sources.length !== width) throw new Error(`${sources.length} sources for ${width} columns`);
  const table = lines.map((text) => text.split("|").slice(1, -1).map((cell) => cell.trim()));
  const columns = sources.map((source, i) => {
    const old = table.map((row) => row[i + 1] ?? "");
    if (source === undefined) return old;
    const like = old.find((cell) => /\d/.test(cell));
    if (like === undefined) throw new Error(`column ${i + 1} shows no number whose form could be kept`);
    const filled = table.map(([label = ""]) => cellOf(source, { label, rowsOf, like }));
    return old.some((cell) => cell.startsWith("**")) ? withBest(filled, { source, labels: table.map(first) }) : filled
      .map(({ text }) => text);
  });
  for (const [label = ""] of table) {
    const known = sources.some((source) => source !== undefined && find(source, { label, rowsOf }) !== undefined);
    if (!known) throw new Error(`no row is called "${label}"`);
  }
  const filled = table.map(([label = ""], row) => line([label, ...columns.map((column) => column[row] ?? "")]));
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
  { label, rowsOf, like }: { readonly label: string; readonly rowsOf: Filling["rowsOf"]; readonly like: string },
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

function numberOf(
  source: Source,
  { rowsOf, like }: { readonly rowsOf: Filling["rowsOf"]; readonly like: string },
): string {
  if (source.row.includes("*")) throw new Error("it names no row; write file[row].column");
  const row = find(source, { label: "", rowsOf });
  if (row === undefined) throw new Error(`results/${source.file}.csv has no row "${source.row}"`);
  return numberText(row, { column: source.column, like });
}

/** A number, and its interval where `like` has one, with as many decimals as `like`. */
function numberText(
  row: Readonly<Record<string, string>>,
  { column, like }: { readonly column: string; readonly like: string },
): string {
  const [, unit = ""] = / ?\d( dB| %)/.exec(like) ?? [];
  const digits = /\d+(?:\.(\d+))?/.exec(like)?.[1]?.length ?? 0;
  const text = (name: string) => {
    const value = row[name] ?? "";
    if (value === "") throw new Error(`the row has no ${name}`);
    return Number(value).toFixed(digits);
  };
  const interval = like.includes("[") ? ` [${text(`${column}_low`)}, ${text(`${column}_high`)}]` : "";
  return `${text(column)}${unit}${interval}`;
}

/**
 * The row of a source for a label of the page. A label may end before what the table says more in brackets or behind a
 * colon.
 */
function find(
  { file, row, column }: Source,
  { label, rowsOf }: { readonly label: string; readonly rowsOf: Filling["rowsOf"] },
): Readonly<Record<string, string>> | undefined {
  const wanted = row.replaceAll("*", plain(label));
  const rows = rowsOf(file);
  if (rows[0] === undefined || !(column in rows[0])) throw new Error(`results/${file}.csv has no column ${column}`);
  return rows.find((row) => labelOf(row) === wanted) ??
    rows.find((row) => [`${wanted} (`, `${wanted}: `].some((start) => labelOf(row).startsWith(start)));
}

function chosen(
  { file, column }: Source,
  { rowsOf, group, choice }: { readonly rowsOf: Filling["rowsOf"]; readonly group: string; readonly choice: string },
): readonly string[] {
  const rows = rowsOf(file).filter((row) => GROUPS[group]!(labelOf(row)));
  if (rows.length === 0) throw new Error(`results/${file}.csv has none of the ${group}`);
  return rows.filter((row) => {
    const ends = [row[`${column}_low`] ?? "", row[`${column}_high`] ?? ""];
    if (ends.includes("")) throw new Error(`results/${file}.csv has no interval of ${column}`);
    return CHOICES[choice]!(Number(ends[0]), Number(ends[1]));
  }).map((row) => shortName(labelOf(row)));
}

/** What a sentence calls a row: "DECA" for its model, what a training lacks for "without …". */
function shortName(label: string): string {
  return /\((\w+)'s model\)$/.exec(label)?.[1] ?? label.replace(/^without /, "");
}

function labelOf(row: Readonly<Record<string, string>>): string {
  return row.row ?? row.method ?? "";
}

function plain(label: string): string {
  return label.replaceAll("**", "");
}

function first(row: readonly string[]): string {
  return row[0] ?? "";
}

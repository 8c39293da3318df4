/** What published tables say for a page's marks: rows by their label, numbers in the page's form, lists of rows. */
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { COMPARATORS, METHOD_LABELS, METHODS } from "../stages/scores/parts/methods.ts";

/** Where a number comes from. `*` in the row stands for the label of the row in the page's table. */
export interface Source {
  readonly file: string;
  readonly row: string;
  readonly column: string;
}

/** A published table: what each row says by column. The first column is the row's label. */
export type Rows = readonly Readonly<Record<string, string>>[];

/** The text of a published file, by its path in the results folder. */
export type ReadPublished = (path: string) => string;

/** Gives the rows of a table by its name. */
export type RowsOf = (file: string) => Rows;

/** The rows that a list chooses from. */
export const GROUPS: Readonly<Record<string, (label: string) => boolean>> = {
  methods: (label) => METHODS.some((method) => method !== "ours" && METHOD_LABELS[method] === label),
  comparators: (label) => COMPARATORS.some((method) => METHOD_LABELS[method] === label),
  losses: (label) => label.startsWith("without ") && !label.startsWith("without FTIM"),
};

/** What an interval of a list's rows does. */
export const CHOICES: Readonly<Record<string, (low: number, high: number) => boolean>> = {
  "hold 0": (low, high) => low <= 0 && high >= 0,
  "are below 0": (_, high) => high < 0,
  "are above 0": (low) => low > 0,
};

/** A published table's rows. In Table 1, those of the face mask: pages show no others. */
export function tableRows(text: string): Rows {
  const { data } = papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
  return data.filter((row) => (row.region ?? "masked") === "masked");
}

/** The number of a source that names its row, in the form of `like`. */
export function numberOf(
  source: Source,
  { rowsOf, like }: { readonly rowsOf: RowsOf; readonly like: string },
): string {
  if (source.row.includes("*")) throw new Error("it names no row; write file[row].column");
  const row = find(source, { label: "", rowsOf });
  if (row === undefined) throw new Error(`results/${source.file}.csv has no row "${source.row}"`);
  return numberText(row, { column: source.column, like });
}

/** A number, and its interval where `like` has one, with as many decimals as `like`. */
export function numberText(
  row: Readonly<Record<string, string>>,
  { column, like }: { readonly column: string; readonly like: string },
): string {
  const { digits, unit } = formOf(like);
  const text = (name: string) => {
    const value = row[name] ?? "";
    if (value === "") throw new Error(`the row has no ${name}`);
    return Number(value).toFixed(digits);
  };
  const interval = like.includes("[") ? ` [${text(`${column}_low`)}, ${text(`${column}_high`)}]` : "";
  return `${text(column)}${unit}${interval}`;
}

/** The decimals and the unit of a number on a page. */
export function formOf(like: string): { readonly digits: number; readonly unit: string } {
  const [, unit = ""] = / ?\d( dB| %)/.exec(like) ?? [];
  return { digits: /\d+(?:\.(\d+))?/.exec(like)?.[1]?.length ?? 0, unit };
}

/**
 * The row of a source for a label of the page. A label may end before what the table says more in brackets or behind a
 * colon.
 */
export function find(
  { file, row, column }: Source,
  { label, rowsOf }: { readonly label: string; readonly rowsOf: RowsOf },
): Readonly<Record<string, string>> | undefined {
  const wanted = row.replaceAll("*", plain(label));
  const rows = rowsOf(file);
  if (rows[0] === undefined || !(column in rows[0])) throw new Error(`results/${file}.csv has no column ${column}`);
  return rows.find((row) => labelOf(row) === wanted) ??
    rows.find((row) => [`${wanted} (`, `${wanted}: `].some((start) => labelOf(row).startsWith(start)));
}

/** The short names of a group's rows whose interval does what is asked. */
export function chosen(
  { file, column }: Source,
  { rowsOf, group, choice }: { readonly rowsOf: RowsOf; readonly group: string; readonly choice: string },
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

/** A label without what makes it bold. */
export function plain(label: string): string {
  return label.replaceAll("**", "");
}

/**
 * The rows of a table whose rows are chosen anew each time: some of the methods, and pictures that another program
 * made. Tables of the paper have their rows in `stages/scores/parts/methods.ts`.
 */
import { z } from "zod";

const tableRow = z.strictObject({
  /** The name that its scores go by. */
  name: z.string(),
  label: z.string(),
  /** Whether it stands there to compare with, and is never the best. */
  reference: z.boolean().default(false),
});

/** Rows in their order, for a stage's parameters. */
export const tableRows = z.array(tableRow).min(1);
/** One of them. */
export type TableRow = z.output<typeof tableRow>;

/** What the tables of a person's own photographs take. */
export const ownTableParams = {
  rows: tableRows,
  /** Photographs that were refused before any stage saw them: reasons by path. */
  refused: z.record(z.string(), z.string()).default({}),
  resamples: z.int().min(1).default(10_000),
  seed: z.int().default(1),
} as const;

/**
 * What each row is given, in the rows' order.
 *
 * @throws {TypeError} naming a row that has nothing, or a name that is no row's
 */
export function byRow<T>(named: Readonly<Record<string, T>>, rows: readonly TableRow[]): (TableRow & { of: T })[] {
  const unknown = Object.keys(named).filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length > 0) throw new TypeError(`No row is called ${unknown.join(", ")}`);
  return rows.map((row) => {
    const of = named[row.name];
    if (of === undefined) throw new TypeError(`There is nothing of the row "${row.label}"`);
    return { ...row, of };
  });
}

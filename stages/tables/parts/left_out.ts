/**
 * What a folder of photographs holds and a table of it lacks: which photograph, face or pair of views, of which row,
 * and why.
 */
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { firstReasons } from "./first_reasons.ts";

/** Something without a score. */
export interface LeftOut {
  /** A photograph's path, a face's key, or the name of a pair of views. */
  readonly what: string;
  /** The row that lacks it; null: all of them. */
  readonly row: string | null;
  readonly reason: string;
}

/** Reasons by key; later ones do not replace earlier ones. */
type Reasons = ReadonlyMap<string, string>;

/** What `leftOutOf` looks at. */
export interface Finds {
  /** Reasons of photographs and faces that no row can score, in the order of the work. */
  readonly skipped: readonly Reasons[];
  /** Names of what could be scored: faces, or pairs of views. */
  readonly candidates: readonly string[];
  readonly rows: readonly {
    readonly label: string;
    /** Those that it scored. */
    readonly scored: ReadonlySet<string>;
    readonly reasons: readonly Reasons[];
  }[];
  /** The reason of a candidate of which nobody gave one. */
  readonly otherwise: string;
}

/** Lists what is left out: first for all rows, then by row. */
export function leftOutOf({ skipped, candidates, rows, otherwise }: Finds): LeftOut[] {
  const everywhere = [...firstReasons(skipped)].map(([what, reason]): LeftOut => ({ what, row: null, reason }));
  const lost = candidates.filter((what) => rows.every(({ scored }) => !scored.has(what)));
  const anyReason = firstReasons(rows.flatMap(({ reasons }) => reasons));
  const byNobody = lost.map((what): LeftOut => ({ what, row: null, reason: anyReason.get(what) ?? otherwise }));
  const byRow = rows.flatMap(({ label, scored, reasons }) => {
    const why = firstReasons(reasons);
    return candidates.filter((what) => !scored.has(what) && !lost.includes(what)).map((what): LeftOut => {
      return { what, row: label, reason: why.get(what) ?? otherwise };
    });
  });
  return [...everywhere, ...byNobody, ...byRow];
}

/** So many are named in a sentence; the rest is counted. */
const NAMED = 5;

/** A sentence for what no row has, and one for each row that lacks some. */
export function leftOutNotes(all: readonly LeftOut[], { file }: { readonly file: string }): string[] {
  return [...Map.groupBy(all, ({ row }) => row)].map(([row, some]) => {
    const named = some.slice(0, NAMED).map(({ what, reason }) => `${what} (${reason})`).join("; ");
    const rest = some.length > NAMED ? `; and ${some.length - NAMED} more, see ${file}` : "";
    if (row === null) return `Left out, ${some.length}: ${named}${rest}.`;
    return `Without a score in the row "${row}", ${some.length}: ${named}${rest}.`;
  });
}

/** The list as CSV; what no row has is of the row "all". */
export function leftOutCsv(list: readonly LeftOut[]): string {
  const lines = list.map(({ what, row, reason }) => [what, row ?? "all", reason]);
  return `${papaparse.unparse([["what", "row", "reason"], ...lines], { newline: "\n" })}\n`;
}

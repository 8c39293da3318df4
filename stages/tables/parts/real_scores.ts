/** What the table of real captures says of pairs of views: means of each row, and by person what training gains. */
import type { NovelScores } from "../../scores/parts/novel_scores.ts";
import { METHOD_LABELS, METHODS } from "../../scores/parts/methods.ts";
import { GUESS } from "./gap.ts";

/** The rows: the methods, and what is there to compare with. */
export const REAL_ROWS = [...METHODS, "guess", "copy", "oracle"] as const;

/** How they are labelled. */
export const REAL_LABELS: Readonly<Record<typeof REAL_ROWS[number], string>> = {
  ...METHOD_LABELS,
  guess: GUESS,
  copy: "what is seen, else the template (not trained)",
  oracle: "a third view's own texture (oracle)",
};

/** Whether a row is no method of a paper or ours: it stands there to compare with, and is never the best. */
export function isReference(name: typeof REAL_ROWS[number]): boolean {
  return !METHODS.some((method) => method === name);
}

/** A row of the table. */
export interface RealRow {
  readonly name: typeof REAL_ROWS[number];
  /** With what they are where a third view saw the skin. */
  readonly views: readonly NovelScores[];
}

/** A row's means over its pairs of views; null where there is none. The oracle has those of a third view alone. */
export function realMeans({ name, views }: RealRow): Record<string, number | null> {
  const all = name === "oracle" ? [] : views;
  const revealed = all.flatMap(({ revealed }) => revealed ?? []);
  const third = views.flatMap(({ third }) => third ?? []);
  return {
    l1: meanOf(all.map(({ l1 }) => l1)),
    psnr: meanOf(all.map(({ psnr }) => psnr)),
    ssim: meanOf(all.map(({ ssim }) => ssim)),
    cosine: meanOf(all.map(({ cosine }) => cosine)),
    revealed_psnr: meanOf(revealed.map(({ psnr }) => psnr)),
    revealed_ssim: meanOf(revealed.map(({ ssim }) => ssim)),
    third_psnr: meanOf(third.map(({ psnr }) => psnr)),
    third_ssim: meanOf(third.map(({ ssim }) => ssim)),
  };
}

/** What training gains on one person, over the pairs of views that all rows scored. */
export interface RealPerson {
  readonly person: string;
  readonly numbers: Readonly<
    Record<
      | "pairs"
      | "revealed_pairs"
      | "revealed_gain"
      | "third_pairs"
      | "guess"
      | "ours"
      | "oracle"
      | "gain"
      | "gap"
      | "share",
      number | null
    >
  >;
}

/** The persons by name, each with what training gains. PSNRs of equal pictures have no part in it. */
export function personsOf(rows: readonly RealRow[]): RealPerson[] {
  const views = (wanted: RealRow["name"]) => rows.find(({ name }) => name === wanted)?.views ?? [];
  const [ours, guess, oracle] = [views("ours"), views("guess"), views("oracle")];
  const [guessed, known] = [guess, oracle].map((views) => new Map(views.map((view) => [nameOf(view), view])));
  return [...Map.groupBy(ours, ({ identity }) => identity)].sort(([a], [b]) => (a < b ? -1 : 1)).map(
    ([person, views]) => {
      const revealing = views.filter(({ revealed }) => revealed !== null);
      const gains = revealing.map((view) => less(view.revealed?.psnr, guessed!.get(nameOf(view))?.revealed?.psnr));
      const ends = views.flatMap((view) => {
        const [from = null, to = null] = [guessed!, known!].map((views) => views.get(nameOf(view))?.third?.psnr);
        const value = view.third?.psnr ?? null;
        return value === null || from === null || to === null ? [] : [{ value, from, to }];
      });
      const [value, from, to] = [
        meanOf(ends.map(({ value }) => value)),
        meanOf(ends.map(({ from }) => from)),
        meanOf(ends.map(({ to }) => to)),
      ];
      const [gain, gap] = [less(value, from), less(to, from)];
      const numbers = {
        pairs: views.length,
        revealed_pairs: revealing.length,
        revealed_gain: meanOf(gains),
        third_pairs: ends.length,
        guess: from,
        ours: value,
        oracle: to,
        gain,
        gap,
        share: gain === null || gap === null || gap <= 0 ? null : 100 * gain / gap,
      };
      return { person, numbers };
    },
  );
}

/**
 * Numbers by name: `real.<row>.<column>` are means, `gain.real.<person>.revealed_psnr` and
 * `gain.real.<person>.third_psnr` what training adds to the guess on a person. A mean of nothing has no entry.
 */
export function realMetrics(rows: readonly RealRow[], persons: readonly RealPerson[]): Record<string, number> {
  const means = rows.flatMap((row) =>
    Object.entries(realMeans(row)).map(([name, value]) => [`real.${row.name}.${name}`, value] as const)
  );
  const gains = persons.flatMap(({ person, numbers: { revealed_gain, gain } }) => [
    [`gain.real.${person}.revealed_psnr`, revealed_gain] as const,
    [`gain.real.${person}.third_psnr`, gain] as const,
  ]);
  const known = [...means, ...gains].flatMap(([name, value]) => value === null ? [] : [[name, value] as const]);
  return Object.fromEntries(known);
}

function nameOf({ from, to }: Pick<NovelScores, "from" | "to">): string {
  return `${from} ${to}`;
}

/** The mean of those values that there are; null: none. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function less(value: number | null | undefined, other: number | null | undefined): number | null {
  return typeof value === "number" && typeof other === "number" ? value - other : null;
}

/**
 * The tables of other views and of true textures as numbers by name, for the gate (`commands/gate.ts`): means of each
 * row, and what training adds over the first guess, which no whole-mask score shows.
 */
import { z } from "zod";
import type { NovelScores } from "../../scores/parts/novel_scores.ts";
import type { UvScores } from "../../scores/parts/uv_scores.ts";
import { mean } from "./mean.ts";
import type { Measures } from "./measures.ts";

/** The file that holds them, beside `metrics.json`. */
export const VIEW_METRICS = "view_metrics.json";

/** What stands in the file: a number by name; null: there should be one, and it is NaN or infinite. */
export const viewMetricsSchema = z.record(z.string(), z.number().nullable());

/** A row of both tables. */
export interface ViewRow {
  readonly novel?: readonly NovelScores[];
  readonly uv?: readonly UvScores[];
}

/** The columns that a gate looks at. The rest, by turn and yaw, are of few pairs each. */
const NOVEL = ["l1", "psnr", "ssim", "cosine", "revealed_psnr", "revealed_ssim"];
const UV = ["seen_psnr", "unseen_l1", "unseen_psnr", "unseen_ssim", "known_psnr"];
/** The columns of which training's gain is taken. */
const GAINS = { novel: ["psnr", "revealed_psnr", "revealed_ssim"], uv: ["unseen_psnr", "known_psnr"] };

/**
 * Numbers by name: `novel.<row>.<column>` and `uv.<row>.<column>` are means, `novel.pairs`, `novel.revealed_pairs` and
 * `uv.views` how many were scored, `gain.novel.<column>` and `gain.uv.<column>` means of ours less the guess, over what
 * both scored. PSNRs of equal pictures have no part in a mean, as in the tables of differences; a mean of nothing has
 * no entry.
 *
 * @param rows by name; `ours` and `guess` are those of the gains, which there are not without a guess
 */
export function viewMetrics(
  rows: Readonly<Record<string, ViewRow>>,
  { novel, uv }: { readonly novel: Measures<NovelScores>; readonly uv: Measures<UvScores> },
): Record<string, number | null> {
  const { ours = {}, guess = {} } = rows;
  const [pairs, views] = [ours.novel ?? [], ours.uv ?? []];
  const counts: [string, number][] = [
    ["novel.pairs", pairs.length],
    ["novel.revealed_pairs", pairs.filter(({ revealed }) => revealed !== null).length],
    ...views.length === 0 ? [] : [["uv.views", views.length] as [string, number]],
  ];
  const means = Object.entries(rows).flatMap(([row, scores]) => [
    ...meansOf(scores.novel ?? [], { columns: NOVEL, prefix: `novel.${row}`, ...novel }),
    ...meansOf(scores.uv ?? [], { columns: UV, prefix: `uv.${row}`, ...uv }),
  ]);
  const gains = [
    ...gainsOf(pairs, { guess: guess.novel ?? [], columns: GAINS.novel, prefix: "gain.novel", ...novel }),
    ...gainsOf(views, { guess: guess.uv ?? [], columns: GAINS.uv, prefix: "gain.uv", ...uv }),
  ];
  return Object.fromEntries([...counts, ...means, ...gains]);
}

interface Columns {
  readonly columns: readonly string[];
  readonly prefix: string;
}

function meansOf<T>(
  scores: readonly T[],
  { columns, prefix, measures }: Columns & Measures<T>,
): [string, number | null][] {
  return columns.flatMap((name) => {
    const of = measureOf(name, measures);
    return entry(`${prefix}.${name}`, scores.map((score) => of(score)));
  });
}

function gainsOf<T>(
  ours: readonly T[],
  { guess, columns, prefix, measures, same }: Columns & Measures<T> & { readonly guess: readonly T[] },
): [string, number | null][] {
  const known = new Map(guess.map((score) => [same(score), score]));
  return columns.flatMap((name) => {
    const of = measureOf(name, measures);
    const differences = ours.map((score) => {
      const [other, value] = [known.get(same(score)), of(score)];
      const before = other === undefined ? null : of(other);
      // Of equal pictures there is no difference of PSNRs.
      return value === null || before === null ? null : before === Infinity ? Infinity : value - before;
    });
    return entry(`${prefix}.${name}`, differences);
  });
}

function measureOf<T>(name: string, measures: Measures<T>["measures"]): (score: T) => number | null {
  const [, of] = measures.find(([column]) => column.name === name) ?? [];
  if (of === undefined) throw new TypeError(`No column is called ${name}`);
  return of;
}

/** The mean of those values that there are. */
function entry(name: string, values: readonly (number | null)[]): [string, number | null][] {
  const counted = values.filter((value) => value !== null && value !== Infinity) as number[];
  if (counted.length === 0) return [];
  const average = mean(counted);
  return [[name, Number.isFinite(average) ? average : null]];
}

/** The tables of LPIPS and their margins. Methods and the variants of the ablation share them. */
import { column, type GridColumn, gridFiles, type GridRow } from "./grid.ts";
import type { LpipsScores } from "../../scores/parts/lpips_scores.ts";
import { columnsOf, type Draws, marginCells, marginColumns, meanCells, type Measures } from "./measures.ts";
import { gapGrid } from "./gap.ts";
import { ORACLE_NOTE, turnLabel, TURNS } from "./revealed_measures.ts";
import type { Trained } from "./trained_variants.ts";

/** Scores of a row, perhaps of several trainings. */
export interface LpipsRow {
  readonly label: string;
  readonly trainings: readonly Trained<LpipsScores>[];
}

/** Rows to compare with that are no methods: what nothing was trained for, and the true textures. */
export interface LpipsEnds {
  readonly guess?: LpipsRow | undefined;
  readonly oracle?: LpipsRow | undefined;
}

const faces: Measures<Trained<LpipsScores["faces"][number]>> = {
  same: ({ training, face }) => `${training} ${face}`,
  by: ({ face }) => face,
  measures: [
    [column("masked", "test photographs: face mask", "lower", 4), ({ masked }) => masked],
    [column("full", "full frame", "lower", 4), ({ full }) => full],
  ],
};
const views: Measures<Trained<LpipsScores["views"][number]>> = {
  same: ({ training, from, to }) => `${training} ${from} ${to}`,
  by: ({ identity }) => identity,
  measures: [[column("novel", "other views", "lower", 4), ({ distance }) => distance]],
};
/** The largest turns between two views. */
const TURNED = TURNS[2];
const textures: Measures<Trained<LpipsScores["textures"][number]>> = {
  same: ({ training, face }) => `${training} ${face}`,
  by: ({ identity }) => identity,
  measures: [
    [column("unseen", "true textures: unseen", "lower", 4), ({ unseen }) => unseen],
    [column("all", "all texels", "lower", 4), ({ all }) => all],
  ],
};

const revealed: typeof views = {
  ...views,
  measures: [
    [column("revealed", "other views: revealed pixels", "lower", 5), ({ revealed }) => revealed],
    [
      column(`revealed_${TURNED[0]}_${TURNED[1]}`, `revealed pixels, ${turnLabel(TURNED)}`, "lower", 5),
      ({ turn, revealed }) => turn >= TURNED[0] ? revealed : null,
    ],
  ],
};
const known: typeof textures = {
  ...textures,
  measures: [[column("known", "unseen, but shown by the portrait", "lower", 4), ({ known }) => known]],
};

/** What the tables are called, and what the margins subtract from what. */
export interface LpipsTables {
  /** File name without its ending; the margins add `_margins`. */
  readonly name: string;
  readonly titles: { readonly table: string; readonly margins: string };
  /** How a row is compared with the best method or variant. */
  readonly margin: "reference less row" | "row less reference";
  /** Sentences below the first table, without markup. */
  readonly notes: readonly string[];
  /** The title of the table of shares, see `gap.ts`, which there is if both ends are known. */
  readonly gap?: string;
}

const DEFINITION = "LPIPS (Zhang et al. 2018), version 0.1 with AlexNet; 0 for equal pictures. " +
  "On the face mask, and on unseen texels: " +
  "the mean over the mask of the map that the authors' code gives with spatial=True. " +
  "Test photographs: the faces of Table 1. " +
  "Other views and true textures: heads of persons who were never trained on. " +
  "On revealed pixels: the distance of the whole picture, " +
  "where all pixels but those that the first view did not see are the photograph's.";
const MEANS = "Mean with the 95 % bootstrap interval over faces, or over heads. Bold: the best mean of the column.";
const DIFFERENCES =
  "Mean difference on the same face, pair of views or view, with the 95 % bootstrap interval over faces, " +
  "or over heads: an interval that does not hold 0 says that the two differ.";

/**
 * A table of means, one of differences from a row and, if both ends of the gap are known and it has a title, one of
 * shares of it, as Markdown, CSV and LaTeX by file name.
 */
export function lpipsGrids(
  { rows, reference, guess, oracle }: { rows: readonly LpipsRow[]; reference: LpipsRow } & LpipsEnds,
  { name, titles, margin, notes, gap, ...draws }: LpipsTables & Draws,
): Record<string, string> {
  const truth = reference.trainings.some(({ textures }) => textures.length > 0);
  const kinds = [
    kind("faces", faces, draws),
    kind("views", views, draws),
    ...truth ? [kind("textures", textures, draws)] : [],
    kind("views", revealed, draws),
    ...truth ? [kind("textures", known, draws)] : [],
  ];
  const columns = kinds.flatMap(({ columns }) => columns);
  const difference = margin === "reference less row"
    ? (row: LpipsRow) => kinds.flatMap(({ margins }) => margins(reference, row))
    : (row: LpipsRow) => kinds.flatMap(({ margins }) => margins(row, reference));
  const ends = [guess, oracle].filter((row) => row !== undefined);
  const others = [...rows.filter((row) => row !== reference), ...ends];
  const table = (row: LpipsRow, reference: boolean): GridRow => ({
    label: row.label,
    cells: kinds.flatMap(({ means }) => means(row)),
    reference,
  });
  const shares = gap === undefined || guess === undefined || oracle === undefined ? {} : gridFiles(
    gapGrid(rows.map((row) => ({ label: row.label, scores: scoresOf("views", row) })), {
      title: gap,
      guess: scoresOf("views", guess),
      oracle: scoresOf("views", oracle),
      ...revealed,
      ...draws,
    }),
    `${name}_gap`,
  );
  return {
    ...gridFiles({
      title: titles.table,
      columns,
      rows: [...rows.map((row) => table(row, false)), ...ends.map((row) => table(row, true))],
      notes: [DEFINITION, MEANS, ...notes, ...oracle === undefined ? [] : [ORACLE_NOTE]],
    }, name),
    ...gridFiles({
      title: titles.margins,
      columns: marginColumns(columns),
      rows: others.map((row) => ({ label: row.label, cells: difference(row) })),
      notes: [DIFFERENCES],
    }, `${name}_margins`),
    ...shares,
  };
}

/** The columns of one kind of score, and a row's cells in them. */
interface Kind {
  readonly columns: GridColumn[];
  means(row: LpipsRow): GridRow["cells"];
  margins(first: LpipsRow, second: LpipsRow): GridRow["cells"];
}

function kind<Name extends keyof LpipsScores>(
  name: Name,
  measures: Measures<Trained<LpipsScores[Name][number]>>,
  draws: Draws,
): Kind {
  const of = (row: LpipsRow) => scoresOf(name, row);
  return {
    columns: columnsOf(measures),
    means: (row) => meanCells(of(row), measures, draws),
    margins: (first, second) => marginCells(of(first), of(second), { ...measures, ...draws }),
  };
}

/** The scores of one kind of all trainings of a row. */
function scoresOf<Name extends keyof LpipsScores>(
  name: Name,
  { trainings }: LpipsRow,
): Trained<LpipsScores[Name][number]>[] {
  return trainings.flatMap(({ training, [name]: scores }) => scores.map((score) => ({ ...score, training })));
}

/** The tables of the ablation: means, differences from the full method, and those differences training by training. */
import type { FaceScores } from "../../scores/parts/measurements.ts";
import type { NovelScores } from "../../scores/parts/novel_scores.ts";
import type { UvScores } from "../../scores/parts/uv_scores.ts";
import { column, type Grid, type GridColumn, gridFiles, type GridRow } from "./grid.ts";
import { columnsOf, type Draws, marginCells, marginColumns, meanCells, type Measures } from "./measures.ts";
import { ORACLE } from "./gap.ts";
import { ORACLE_NOTE, revealedMeasures, revealedNote, revealedPsnrTurned, TURNS } from "./revealed_measures.ts";
import type { Trained } from "./trained_variants.ts";
import { PAPER_TABLE2, type Variant, VARIANT_LABELS } from "./variants.ts";

/** What a row of the ablation is scored on. */
interface AblationScores {
  /** On the test photographs. */
  readonly real: readonly Trained<FaceScores>[];
  /** In other views. */
  readonly novel: readonly Trained<NovelScores>[];
  /** Against true textures; empty where none are known. */
  readonly uv: readonly Trained<UvScores>[];
}

/** A row of the ablation: the scores of all trainings of a variant. */
export interface AblationRow extends AblationScores {
  readonly variant: Variant;
}

/** What is asked of the rows. */
export interface AblationOptions extends Draws {
  /** Scores of the true textures in other views, a row to compare with; none where they are not known. */
  readonly oracle?: readonly Trained<NovelScores>[] | undefined;
  /** Numbers of the trainings that each trained variant has. */
  readonly trainings: readonly number[];
}

const REAL: Measures<Trained<FaceScores>> = {
  same: ({ training, face }) => `${training} ${face}`,
  by: ({ face }) => face,
  measures: [
    [column("l1", "L1", "lower", 4), ({ masked }) => masked.l1],
    [column("psnr", "PSNR", "higher", 2), ({ masked }) => masked.psnr ?? Infinity],
    [column("ssim", "SSIM", "higher", 4), ({ masked }) => masked.ssim],
    [column("cosine", "cosine", "higher", 4), ({ masked }) => masked.cosine],
  ],
};
const NOVEL: Measures<Trained<NovelScores>> = {
  same: ({ training, from, to }) => `${training} ${from} ${to}`,
  by: ({ identity }) => identity,
  measures: [
    [column("novel_l1", "other views: L1", "lower", 4), ({ l1 }) => l1],
    [column("novel_psnr", "PSNR", "higher", 2), ({ psnr }) => psnr ?? Infinity],
    [column("novel_cosine", "cosine", "higher", 4), ({ cosine }) => cosine],
  ],
};
const REVEALED: Measures<Trained<NovelScores>> = {
  ...NOVEL,
  measures: [...revealedMeasures("revealed pixels: PSNR"), revealedPsnrTurned(TURNS[2])],
};
const UV: Measures<Trained<UvScores>> = {
  same: ({ training, face }) => `${training} ${face}`,
  by: ({ identity }) => identity,
  measures: [
    [column("unseen_l1", "unseen texels: L1", "lower", 4), ({ unseen }) => unseen?.l1 ?? null],
    [column("unseen_psnr", "PSNR", "higher", 2), ({ unseen }) => unseen && (unseen.psnr ?? Infinity)],
  ],
};
const KNOWN: Measures<Trained<UvScores>> = {
  ...UV,
  measures: [[
    column("known_psnr", "unseen texels that the portrait showed: PSNR", "higher", 2),
    ({ known }) => known && (known.psnr ?? Infinity),
  ]],
};

/**
 * All tables by file name: `table2.*`, `table2_margins.*` and, where there are several trainings, `table2_trainings.*`.
 *
 * @throws {TypeError} if no row is the full method
 */
export function ablationFiles(rows: readonly AblationRow[], options: AblationOptions): Record<string, string> {
  const full = rows.find(({ variant }) => variant === "full");
  if (full === undefined) throw new TypeError("The ablation has no row of the full method");
  const kinds = [
    kind({ of: ({ real }) => real, label: "PSNR", psnr: "psnr" }, { ...REAL, ...options }),
    kind({ of: novelOf, label: "other views", psnr: "novel_psnr" }, { ...NOVEL, ...options }),
    ...full.uv.length === 0 ? [] : [
      kind({ of: ({ uv }) => uv, label: "unseen texels", psnr: "unseen_psnr" }, { ...UV, ...options }),
    ],
    kind({ of: novelOf, label: "revealed pixels", psnr: "revealed_psnr" }, { ...REVEALED, ...options }),
    ...full.uv.length === 0 ? [] : [
      kind({ of: ({ uv }) => uv, label: "texels that the portrait showed", psnr: "known_psnr" }, {
        ...KNOWN,
        ...options,
      }),
    ],
  ];
  const others = rows.filter((row) => row !== full);
  return {
    ...gridFiles(meansGrid(rows, { kinds, truth: full.uv.length > 0, ...options }), "table2"),
    ...gridFiles(marginsGrid(others, { kinds, full, oracle: options.oracle }), "table2_margins"),
    ...options.trainings.length > 1 && gridFiles(trainingsGrid(others, { kinds, full }), "table2_trainings"),
  };
}

const novelOf = ({ novel }: AblationScores) => novel;

/** The columns of one kind of score, and a row's cells in them. */
interface Kind {
  readonly columns: readonly GridColumn[];
  means(row: AblationScores): GridRow["cells"];
  margins(row: AblationScores, full: AblationScores): GridRow["cells"];
  /** The margin of the PSNR in each training. */
  readonly trainings: readonly { readonly column: GridColumn; cell(row: AblationRow, full: AblationRow): Cell }[];
}
type Cell = GridRow["cells"][number];

function kind<Score>(
  { of, label, psnr: named }: {
    readonly of: (row: AblationScores) => readonly Trained<Score>[];
    readonly label: string;
    /** The column that is shown training by training. */
    readonly psnr: string;
  },
  { trainings, ...measured }: Measures<Trained<Score>> & AblationOptions,
): Kind {
  const psnr = measured.measures.filter(([{ name }]) => name === named);
  return {
    columns: columnsOf(measured),
    means: (row) => meanCells(of(row), measured, measured),
    margins: (row, full) => marginCells(of(row), of(full), measured),
    trainings: psnr.flatMap((measure) =>
      trainings.map((training) => {
        const [{ name, digits }] = measure;
        const only = (row: AblationRow) => of(row).filter((score) => score.training === training);
        return {
          column: column(`${name}_${training}`, `${label}, training ${training}`, null, digits),
          cell: (row, full) => marginCells(only(row), only(full), { ...measured, measures: [measure] })[0]!,
        };
      })
    ),
  };
}

function meansGrid(
  rows: readonly AblationRow[],
  { kinds, truth, trainings, oracle = [] }: AblationOptions & {
    readonly kinds: readonly Kind[];
    readonly truth: boolean;
  },
): Grid {
  return {
    title: "Table 2: ablation",
    columns: [column("paper_l1", "paper L1", null, 3), ...kinds.flatMap(({ columns }) => columns)],
    rows: [
      ...rows.map((row) => ({
        label: VARIANT_LABELS[row.variant],
        cells: [PAPER_TABLE2[row.variant] ?? null, ...kinds.flatMap(({ means }) => means(row))],
      })),
      ...oracle.length === 0 ? [] : [{
        label: ORACLE,
        cells: [null, ...kinds.flatMap(({ means }) => means({ real: [], novel: oracle, uv: [] }))],
        reference: true,
      }],
    ],
    notes: [
      "L1 to cosine: the face mask of the test photographs, as in Table 1. " +
      `Other views: reconstructed from one view of a ${truth ? "made " : ""}capture of a person who was never ` +
      "trained on, compared in the other views." +
      (truth ? " Unseen texels: the completed texture against the true one where the view showed nothing." : ""),
      "Mean with the 95 % bootstrap interval over faces, or over heads. Bold: the best mean of the column. " +
      (trainings.length === 1
        ? "Every trained variant had the same steps, seed and triplets. "
        : `Every trained variant was trained ${trainings.length} times, with the same steps, seeds and triplets; ` +
          "each value is the mean of the trainings. ") +
      "The map of the row without FTIM is the same for every face.",
      revealedNote(rows[0]!.novel),
      ...oracle.length > 0 ? [ORACLE_NOTE] : [],
      "The paper's L1 is what it printed for CelebA. It does not say what its network without FTIM is, nor is its " +
      "full method the one here, FTIM with a first guess.",
    ],
  };
}

interface Differences {
  readonly kinds: readonly Kind[];
  readonly full: AblationRow;
}

function marginsGrid(
  others: readonly AblationRow[],
  { kinds, full, oracle = [] }: Differences & Pick<AblationOptions, "oracle">,
): Grid {
  const known = { real: [], novel: oracle, uv: [] };
  return {
    title: "Each variant less the full method, pair by pair",
    columns: marginColumns(kinds.flatMap(({ columns }) => columns)),
    rows: [
      ...others.map((row) => ({
        label: VARIANT_LABELS[row.variant],
        cells: kinds.flatMap(({ margins }) => margins(row, full)),
      })),
      ...oracle.length === 0 ? [] : [{ label: ORACLE, cells: kinds.flatMap(({ margins }) => margins(known, full)) }],
    ],
    notes: [
      "Mean difference on the same face, pair of views or view, with the 95 % bootstrap interval over faces, " +
      "or over heads: an interval that does not hold 0 says that the variant differs from the full method. " +
      "The full method is better where the difference in L1 is positive and the others are negative.",
    ],
  };
}

function trainingsGrid(others: readonly AblationRow[], { kinds, full }: Differences): Grid {
  const psnrs = kinds.flatMap(({ trainings }) => trainings);
  return {
    title: "PSNR of each variant less the full method, training by training",
    columns: psnrs.map(({ column }) => column),
    rows: others.map((row) => ({
      label: VARIANT_LABELS[row.variant],
      cells: psnrs.map(({ cell }) => cell(row, full)),
    })),
    notes: [
      "As in the table of margins, within one training (a seed). " +
      "Where the trainings do not agree, what the variant lacks may cost nothing.",
    ],
  };
}

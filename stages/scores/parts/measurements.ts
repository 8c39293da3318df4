/** What the stage `metrics` writes for each face, and the scores of all methods joined face by face. */
import { z } from "zod";
import type { Tree } from "@ftim/pipeline";
import { type Method, METHODS, type Metric, type Region } from "./methods.ts";
import { NETWORK_ROWS, type NetworkRow } from "./table1_rows.ts";

const finite = z.number();

/**
 * One method's scores on one face. `psnr` is null where the images are equal (it would be Infinity, which JSON lacks).
 */
const scoresSchema = z.strictObject({
  l1: finite.min(0).max(1),
  psnr: finite.nullable(),
  ssim: finite.min(-1).max(1.000001),
  cosine: finite.min(-1).max(1),
});
/** Absent: measured without the 512-d network. */
const fullScoresSchema = scoresSchema.extend({ cosine512: finite.min(-1).max(1).exactOptional() });

/** What the metrics stage writes for each face of one method, `<key>.json`. */
const faceScoresSchema = z.strictObject({
  face: z.string(),
  /** Share of the frame that the face mask covers, 0..1. */
  maskShare: finite.min(0).max(1),
  ...regions().shape,
});

/** One method's scores on one face, and the face. */
export type FaceScores = z.infer<typeof faceScoresSchema>;

/** All methods' scores on one face, an entry of `metrics.json`. */
export const measurementSchema = z.strictObject({
  face: z.string(),
  /** Share of the frame that the face mask covers, 0..1. */
  maskShare: finite.min(0).max(1),
  methods: z.strictObject({
    ...Object.fromEntries(METHODS.map((method) => [method, regions()])) as Record<Method, RegionsSchema>,
    // of the comparators' networks those that were run
    ...Object.fromEntries(NETWORK_ROWS.map((row) => [row, regions().exactOptional()])) as Record<
      NetworkRow,
      z.ZodExactOptional<RegionsSchema>
    >,
  }),
});

type RegionsSchema = ReturnType<typeof regions>;

/** Scores on the face mask and on the full frame. */
function regions() {
  return z.strictObject({ masked: scoresSchema, full: fullScoresSchema });
}

/** All scores of one face. */
export type Measurement = z.infer<typeof measurementSchema>;
/** One method's scores on one face. */
export type RegionScores = Measurement["methods"][Method];

/**
 * A score of one method on one face; Infinity for the PSNR of equal images, undefined where the region lacks the
 * metric.
 */
export function scoreOf(
  scores: RegionScores,
  { region, metric }: { region: Region; metric: Metric },
): number | undefined {
  const row: Partial<Record<Metric, number | null>> = scores[region];
  return row[metric] === null ? Infinity : row[metric];
}

/** Scores as they are stored: the PSNR of equal images is null, for JSON lacks Infinity. */
export function storable<T extends { readonly psnr: number }>(scores: T): Omit<T, "psnr"> & { psnr: number | null } {
  return { ...scores, psnr: scores.psnr === Infinity ? null : scores.psnr };
}

/** What each method scored, and each network that was run. */
export type ScoresByRow =
  & Readonly<Record<Method, readonly FaceScores[]>>
  & Readonly<Partial<Record<NetworkRow, readonly FaceScores[]>>>;

/**
 * Joins what each row scored, face by face. A face that some row lacks is left out: means must be over the same faces.
 */
export function joinMethods(scores: ScoresByRow): Measurement[] {
  const lookup = Object.entries(scores).map(([row, faces]) =>
    [row, new Map(faces.map((one) => [one.face, one]))] as const
  );
  return scores.ours.flatMap(({ face, maskShare }) => {
    const rows = lookup.map(([row, faces]) => [row, faces.get(face)] as const);
    if (rows.some(([, row]) => row === undefined)) return [];
    const methods = Object.fromEntries(rows.map(([method, row]) => [method, { masked: row!.masked, full: row!.full }]));
    return [{ face, maskShare, methods: methods as Measurement["methods"] }];
  });
}

/** Reads what the metrics stage wrote for one method. */
export async function readFaceScores(metrics: Tree): Promise<FaceScores[]> {
  return await Promise.all(metrics.paths.map(async (path) => faceScoresSchema.parse(await metrics.json(path))));
}

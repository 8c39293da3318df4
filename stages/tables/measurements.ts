import { z } from "zod";
import { METHODS, type Metric, type Region } from "./methods.ts";

const finite = z.number();

/** One method's scores on one face. `psnr` is null where the images are equal (it would be Infinity, which JSON lacks). */
const scoresSchema = z.strictObject({
  l1: finite.min(0).max(1),
  psnr: finite.nullable(),
  ssim: finite.min(-1).max(1.000001),
  cosine: finite.min(-1).max(1),
});
const fullScoresSchema = scoresSchema.extend({ cosine512: finite.min(-1).max(1) });

/** What the metrics stage writes for each face, `<key>.json`. */
export const measurementSchema = z.strictObject({
  face: z.string(),
  /** Share of the frame that the face mask covers, 0..1. */
  maskShare: finite.min(0).max(1),
  methods: z.strictObject(
    Object.fromEntries(METHODS.map((method) => [method, regions()])) as Record<typeof METHODS[number], RegionsSchema>,
  ),
});

type RegionsSchema = ReturnType<typeof regions>;

/** Scores on the face mask and on the full frame. */
function regions() {
  return z.strictObject({ masked: scoresSchema, full: fullScoresSchema });
}

/** All scores of one face. */
export type Measurement = z.infer<typeof measurementSchema>;
/** One method's scores on one face. */
export type RegionScores = Measurement["methods"][keyof Measurement["methods"]];

/** A score of one method on one face; Infinity for the PSNR of equal images, undefined where the region lacks the metric. */
export function scoreOf(
  scores: RegionScores,
  { region, metric }: { region: Region; metric: Metric },
): number | undefined {
  const row: Partial<Record<Metric, number | null>> = scores[region];
  return row[metric] === null ? Infinity : row[metric];
}

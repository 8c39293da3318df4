/** What the stage `lpips` writes, for the tables that read it. */
import { z } from "zod";
import type { Tree } from "@ftim/pipeline";

const distance = z.number().min(0);

/** One method's LPIPS: what `lpips.json` holds. */
const lpipsScoresSchema = z.strictObject({
  /**
   * Renders of the test photographs, on the face mask and on the full frame. Null: the mask is empty. None of what is
   * known of made heads alone.
   */
  faces: z.strictObject({ face: z.string(), masked: distance.nullable(), full: distance }).array(),
  /**
   * Textures from one view in another, on the face mask. `turn`: how far the head turned between the two, degrees.
   * `revealed`: of the whole picture, where all but the pixels that `to` shows and `from` did not are the photograph's;
   * null: there are too few. `third`: the same of those of them that a third view saw too (`third_seen.ts`); absent:
   * that is not known.
   */
  views: z.strictObject({
    identity: z.string(),
    from: z.string(),
    to: z.string(),
    turn: z.number().min(0),
    distance,
    revealed: distance.nullable(),
    third: distance.nullable().exactOptional(),
  }).array(),
  /**
   * Textures beside the true ones; none where no truth is known. Null: there is no such texel; `known` as in
   * `uv_scores.ts`.
   */
  textures: z.strictObject({
    identity: z.string(),
    face: z.string(),
    unseen: distance.nullable(),
    all: distance,
    known: distance.nullable(),
  }).array(),
});

/** See {@linkcode lpipsScoresSchema}. */
export type LpipsScores = z.infer<typeof lpipsScoresSchema>;

/** Reads what `lpips` wrote for one method. */
export async function readLpipsScores(scores: Tree): Promise<LpipsScores> {
  return lpipsScoresSchema.parse(await scores.json("lpips.json"));
}

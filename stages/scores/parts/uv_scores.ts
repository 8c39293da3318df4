/** What the stage `uv_truth` writes, for the tables that read it. */
import { z } from "zod";
import type { Tree } from "@ftim/pipeline";

const scores = z.strictObject({ l1: z.number().min(0).max(1), psnr: z.number().nullable(), ssim: z.number() });

/**
 * One method's texture against the true one, from one view: an entry of `uv.json`. Null: the view has no such texel; as
 * a PSNR: the textures are equal.
 */
const uvScoresSchema = z.strictObject({
  identity: z.string(),
  face: z.string(),
  /** True yaw of the view, degrees. */
  yaw: z.number(),
  seen: scores.nullable(),
  unseen: scores.nullable(),
  all: scores,
  /** Of the unseen texels those that the portraits of the head showed; null also where that is not told. */
  known: scores.nullable(),
});

/** See {@linkcode uvScoresSchema}. */
export type UvScores = z.infer<typeof uvScoresSchema>;

/** Reads what `uv_truth` wrote for one method; none where no truth is known. */
export async function readUvScores(scores: Tree | undefined): Promise<UvScores[]> {
  return scores === undefined ? [] : uvScoresSchema.array().parse(await scores.json("uv.json"));
}

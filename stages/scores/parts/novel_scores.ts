/** What the stage `novel_views` writes, for the tables that read it. */
import { z } from "zod";
import type { Tree } from "@ftim/pipeline";

/** On some of a picture's pixels. */
const partSchema = z.strictObject({
  pixels: z.int().positive(),
  l1: z.number().min(0).max(1),
  psnr: z.number().nullable(),
  /** Null: all of them lie on the picture's border, where SSIM has no value. */
  ssim: z.number().nullable(),
});

/** One method's texture from one view of a capture, rendered in another: an entry of `novel.json`. */
const novelScoresSchema = z.strictObject({
  /** Whose head it is. */
  identity: z.string(),
  /** Key of the view that was reconstructed from, and of the one that was compared with. */
  from: z.string(),
  to: z.string(),
  /** How far the head turned between the two, degrees ≥ 0. */
  turn: z.number().min(0),
  l1: z.number().min(0).max(1),
  /** Null where the pictures are equal. */
  psnr: z.number().nullable(),
  ssim: z.number(),
  cosine: z.number(),
  /**
   * The same on the pixels that `to` shows and `from` did not (`revealed_masks.ts`), with the mean of SSIM's map over
   * them. Null: there are too few.
   */
  revealed: partSchema.nullable(),
  /** The same on those of them that a third view saw too (`third_seen.ts`). Absent: that is not known. */
  third: partSchema.nullable().exactOptional(),
});

/** See {@linkcode novelScoresSchema}. */
export type NovelScores = z.infer<typeof novelScoresSchema>;

/** Reads what `novel_views` wrote for one method. */
export async function readNovelScores(novel: Tree): Promise<NovelScores[]> {
  return novelScoresSchema.array().parse(await novel.json("novel.json"));
}

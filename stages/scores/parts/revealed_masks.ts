/**
 * Revealed pixels: what a view of a head shows and another view of it did not. Where a method has to complete, they are
 * all that it can be judged by in another view; nine tenths of the face there were seen, and copied.
 */
import type { RgbImage } from "../../../face/image.ts";
import type { Tree } from "@ftim/pipeline";
import { readMask } from "../../faces/geometry.ts";
import { type ViewPair } from "./view_pairs.ts";

/** Visibility below which a point was not seen in the first view, and above which it is seen in the other. */
export const REVEALED = { unseen: 0.2, seen: 0.5 } as const;

/** Pixels that a pair of views has to reveal to be scored: fewer are a line along the face's edge. */
export const LEAST_REVEALED = 100;

/** What decides of one pair of views which pixels the second reveals; each in the second view's pixels [P], 0..1. */
export interface RevealingView {
  /** The face mask. */
  readonly mask: Float32Array;
  /** How much of a pixel the mesh covers; what is rendered below is so much darker at its edge. */
  readonly coverage: Float32Array;
  /** The visibility in the first view, rendered. */
  readonly before: Float32Array;
  /** The second view's own visibility, rendered. */
  readonly now: Float32Array;
  /** How much is known of the truth, rendered; default: all of it. */
  readonly known?: Float32Array | undefined;
}

/** The revealed pixels, 1, among others, 0 [P]. */
export function revealedPixels({ mask, coverage, before, now, known }: RevealingView): Float32Array<ArrayBuffer> {
  const revealed = new Float32Array(mask.length);
  for (let i = 0; i < revealed.length; i++) {
    const covered = coverage[i]!;
    const chosen = mask[i]! >= 0.5 && before[i]! < REVEALED.unseen * covered && now[i]! > REVEALED.seen * covered &&
      (known === undefined || known[i]! > REVEALED.seen * covered);
    if (chosen) revealed[i] = 1;
  }
  return revealed;
}

/**
 * The revealed pixels that another view saw too, 1, among others, 0 [P].
 *
 * @param options.seen that view's visibility, rendered
 */
export function seenPixels(
  { revealed, coverage, seen }: Pick<RevealingView, "coverage"> & Record<"revealed" | "seen", Float32Array>,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    revealed,
    (value, i) => value > 0 && seen[i]! > REVEALED.seen * coverage[i]! ? 1 : 0,
  );
}

/** How many pixels a mask of zeros and ones holds. */
export function countPixels(mask: Float32Array): number {
  return mask.reduce((sum, value) => sum + value, 0);
}

/** Where `revealed` keeps the mask of a pair. */
export function revealedName({ from, to }: Pick<ViewPair, "from" | "to">): string {
  return `${from.key}.to.${to.key}`;
}

/** The mask of a pair; null if it reveals too little to be scored. */
export async function readRevealed(revealed: Tree, pair: Pick<ViewPair, "from" | "to">): Promise<Float32Array | null> {
  const name = revealedName(pair);
  return revealed.has(`${name}.mask.png`) ? await readMask(revealed, name) : null;
}

/** A picture where a mask is 1, and another where it is 0. */
export function pictureWithin(mask: Float32Array, { picture, other }: Record<"picture" | "other", RgbImage>): RgbImage {
  return { ...picture, data: picture.data.map((value, i) => mask[Math.floor(i / 3)]! > 0 ? value : other.data[i]!) };
}

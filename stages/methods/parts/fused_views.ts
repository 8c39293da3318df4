/** Which photographs a fused texture was made of, as `fuse` writes it down. */
import type { Tree } from "@ftim/pipeline";

/** A photograph's view of a fused face. */
export interface FusedView {
  /** Its key among the faces. */
  readonly key: string;
  /** The file of its share of each texel in the fused tree. */
  readonly share: string;
  /** The share of the texels that were seen which it gives, 0..1. */
  readonly part: number;
}

/** The views of a fused face, by its key. */
export async function fusedViews(fused: Tree, key: string): Promise<FusedView[]> {
  return await fused.json<FusedView[]>(`${key}.views.json`);
}

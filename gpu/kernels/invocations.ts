/** How work is divided among invocations: four elements at a time or one, and a long walk in how many chunks. */

/** The widest WGSL element that all these channel counts are whole multiples of, and its length. */
export function elementFor(...channels: number[]): { readonly element: "vec4<f32>" | "f32"; readonly width: 4 | 1 } {
  return channels.every((count) => count % 4 === 0) ? { element: "vec4<f32>", width: 4 } : { element: "f32", width: 1 };
}

/**
 * Into how many chunks to cut a walk over `length` positions, so that `others` · chunks invocations keep the adapter
 * busy. What comes of the chunks is joined one by one, so on a GPU there are no more of them than positions in each.
 */
export function chunksOf(
  length: number,
  { others, software }: { readonly others: number; readonly software: boolean },
): number {
  const wanted = Math.ceil((software ? 256 : 16384) / others);
  const size = Math.max(16, Math.ceil(length / Math.max(1, wanted)), software ? 0 : Math.ceil(Math.sqrt(length)));
  return Math.max(1, Math.ceil(length / size));
}

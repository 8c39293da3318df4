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

/**
 * WGSL of `quotient(n, d)`, n / d for whole n from 0 and d from 1, right where the quotient is less than 2²²: eight
 * times as fast on a software adapter, whose vectors cannot divide whole numbers.
 */
export const QUOTIENT = /* wgsl */ `
fn quotient(n : i32, d : i32) -> i32 {
  let q = i32(f32(n) / f32(d));
  let rest = n - q * d;
  return q + i32(rest >= d) - i32(rest < 0);
}
`;

/** Which views of triplets are reconstructed from, and which they are compared in. */
import type { Triplet } from "../../data/parts/triplet_choice.ts";

/** A view of a triplet: key of the aligned face, yaw in degrees. */
export interface PosedView {
  readonly key: string;
  readonly yaw: number;
}

/** To reconstruct from one view, to compare in another. */
export interface ViewPair {
  readonly identity: string;
  readonly expression: string;
  readonly from: PosedView;
  readonly to: PosedView;
}

/** All ordered pairs of different views within triplets, each once however many triplets share it. */
export function viewPairs(triplets: readonly Triplet[]): ViewPair[] {
  const pairs = new Map<string, ViewPair>();
  for (const { identity, expression, views, yaws } of triplets) {
    const posed = views.map((key, i): PosedView => ({ key, yaw: yaws[i]! }));
    for (const from of posed) {
      for (const to of posed) {
        if (from !== to) pairs.set(`${from.key}\n${to.key}`, { identity, expression, from, to });
      }
    }
  }
  return [...pairs.values()];
}

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

/** A pair of views, and the views that stand beside both in a triplet. */
export interface WitnessedPair extends ViewPair {
  /** Keys. */
  readonly witnesses: readonly string[];
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

/** The same pairs, each with the third view of every triplet that holds both. */
export function witnessedPairs(triplets: readonly Triplet[]): WitnessedPair[] {
  return viewPairs(triplets).map((pair) => {
    const holding = triplets.filter(({ views }) => views.includes(pair.from.key) && views.includes(pair.to.key));
    const others = holding.flatMap(({ views }) => views.filter((key) => key !== pair.from.key && key !== pair.to.key));
    return { ...pair, witnesses: [...new Set(others)] };
  });
}

/** The definition of `bestMatches` in plain loops, double precision: its reference. */
import { EPSILON, NONE, STRETCH } from "./best_matches_constants.ts";

/**
 * For each target feature the logarithm of its greatest similarity to a generated one, normalised over the targets.
 *
 * @param generated [N,C], each of length 1
 * @param options.target Features to be found [N,C], each of length 1
 * @param options.inside [N], 1 where a position takes part (as target and as match), 0 where it does not
 * @returns [N], at most 0; −1e30 outside
 */
export function bestMatchesCpu(
  generated: ArrayLike<number>,
  { target, inside }: { target: ArrayLike<number>; inside: ArrayLike<number> },
): Float64Array {
  const channels = generated.length / inside.length;
  const taking = Array.from({ length: inside.length }, (_, i) => i).filter((i) => inside[i] !== 0);
  const best = new Float64Array(inside.length).fill(NONE);
  for (const p of taking) {
    const distances = taking.map((s) => {
      let cosine = 0;
      for (let c = 0; c < channels; c++) cosine += generated[p * channels + c]! * target[s * channels + c]!;
      return Math.max(0, (1 - cosine) / 2);
    });
    const scale = STRETCH * (Math.min(...distances) + EPSILON);
    const most = Math.max(...distances.map((d) => -d / scale));
    const total = most + Math.log(distances.reduce((sum, d) => sum + Math.exp(-d / scale - most), 0));
    for (const [k, s] of taking.entries()) best[s] = Math.max(best[s]!, -distances[k]! / scale - total);
  }
  return best;
}

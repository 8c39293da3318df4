/** The reference of skin_visibility.ts, for one face. */
import { boxMeanCpu } from "@ftim/gpu/ops/box-mean-cpu";
import { SKIN } from "./skin_settings.ts";
import { smoothstep } from "./smoothstep.ts";

/** A face's maps. */
export interface SkinMaps {
  /** What was seen [S·S·3], 0..1. */
  readonly texture: Float32Array;
  /** [S·S], 0..1 */
  readonly visibility: Float32Array;
  /** The template in its light [S·S·3]. */
  readonly template: Float32Array;
}

/** Visibilities [S·S], see `SkinVisibilities`. */
export function skinVisibilityCpu(maps: SkinMaps): Record<"seen" | "mirrored", Float32Array> {
  const { visibility } = maps;
  const size = Math.sqrt(visibility.length);
  const { distances, brighter } = skinDistances(maps);
  const mirrored = (i: number) => i - i % size + size - 1 - i % size;
  const none = visibility.map((seen, i) => seen > 0 && distances[i]! > SKIN.other ** 2 ? 1 : 0);
  const covered = none.map((is, i) => {
    const other = mirrored(i);
    const shining = brighter[i]! > SKIN.glare.brighter && visibility[i]! > SKIN.glare.facing;
    return is === 1 && !shining && distances[other]! < SKIN.skin ** 2 && visibility[other]! > SKIN.seen ? 1 : 0;
  });
  const shone = none.map((is, i) => {
    return is === 1 && brighter[i]! > SKIN.glare.brighter && visibility[mirrored(i)]! <= SKIN.seen ? 1 : 0;
  });
  const without = (map: Float32Array, part: Float32Array, { radius, share: [low, high] }: Spread) => {
    const around = boxMeanCpu(part, { size, radius: Math.round(radius * size) });
    return map.map((seen, i) => seen * (1 - smoothstep(low, high, around[i]!)));
  };
  const seen = without(visibility, covered, SKIN);
  return { seen, mirrored: without(seen, shone, SKIN.glare) };
}

interface Spread {
  readonly radius: number;
  readonly share: readonly [number, number];
}

function skinDistances({ texture, visibility, template }: SkinMaps) {
  const texels = visibility.length;
  const log = (colour: number) => Math.log(Math.max(colour, 0) + SKIN.dark);
  const ratios = Float64Array.from(texture, (colour, k) => log(colour) - log(template[k]!));
  let weights = Float64Array.from(visibility);
  const [distances, brighter] = [new Float64Array(texels), new Float64Array(texels)];
  for (let turn = 0; turn < SKIN.turns; turn++) {
    const total = weights.reduce((sum, weight) => sum + weight, 1e-6);
    const mean = [0, 1, 2].map((c) => weights.reduce((sum, weight, i) => sum + weight * ratios[3 * i + c]!, 0) / total);
    const off = (i: number, c: number) => ratios[3 * i + c]! - mean[c]!;
    const covariance = [0, 1, 2].map((a) =>
      [0, 1, 2].map((b) =>
        weights.reduce((sum, weight, i) => sum + weight * off(i, a) * off(i, b), 0) / total +
        (a === b ? SKIN.spread ** 2 : 0)
      )
    );
    const inverse = inverse3(covariance);
    for (let i = 0; i < texels; i++) {
      let distance = 0;
      for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) distance += off(i, a) * inverse[a]![b]! * off(i, b);
      distances[i] = distance;
      brighter[i] = (off(i, 0) + off(i, 1) + off(i, 2)) / 3;
    }
    weights = weights.map((_, i) => visibility[i]! * Math.exp(-0.5 * Math.min(distances[i]!, 60)));
  }
  return { distances, brighter };
}

/** The inverse of a symmetric 3×3 matrix. */
function inverse3(m: readonly (readonly number[])[]): number[][] {
  const at = (row: number, column: number) => m[(row + 3) % 3]![(column + 3) % 3]!;
  const cofactor = (row: number, column: number) =>
    at(row + 1, column + 1) * at(row + 2, column + 2) - at(row + 1, column + 2) * at(row + 2, column + 1);
  const determinant = [0, 1, 2].reduce((sum, column) => sum + at(0, column) * cofactor(0, column), 0);
  return [0, 1, 2].map((row) => [0, 1, 2].map((column) => cofactor(column, row) / determinant));
}

/** The reference of fuse_views.ts. */
import { enlargeCpu, pushPullCpu } from "@ftim/gpu/ops/push-pull-cpu";
import { FUSION, viewFactors } from "./fuse_settings.ts";
import { GUESS } from "./guess_settings.ts";
import { smoothstep } from "./smoothstep.ts";

/** What one photograph shows of the face. */
export interface FusedViewCpu {
  /** The unwrapped texture [S·S·3]. */
  readonly texture: Float32Array;
  /** What its light adds to the template's albedo [S·S·3]. */
  readonly light: Float32Array;
  /** [S·S] */
  readonly visibility: Float32Array;
  /** Unit normals to its viewer [S·S·3]. */
  readonly normals: Float32Array;
  /** Pixels of the photograph that a unit of length in the crop has. */
  readonly density: number;
}

/**
 * Fuses views in the light of one of them.
 *
 * @param reference index of the view whose light and tone all take on
 * @returns `texture` [S·S·3], 0 where none saw anything; `visibility` [S·S], that of the view which saw the texel best;
 *   `shares` of each view [S·S], whose sum is 1 where some view saw something
 */
export function fuseViewsCpu(
  views: readonly FusedViewCpu[],
  reference: number,
): { texture: Float32Array; visibility: Float32Array; shares: Float32Array[] } {
  const texels = views[0]!.visibility.length;
  const size = Math.sqrt(texels);
  const { sharpness, cells, overlap } = FUSION;
  const [least, full] = GUESS.trust;
  const factors = viewFactors(views.map(({ density }) => density), reference);
  const trusts = views.map(({ visibility, normals }) =>
    visibility.map((value, i) => smoothstep(least, full, value) * Math.max(0, normals[3 * i + 2]!) ** 2)
  );
  const weights = views.map(({ visibility, normals }, v) =>
    visibility.map((seen, i) => seen * (Math.max(0, normals[3 * i + 2]!) * factors[v]!) ** sharpness)
  );
  const side = Math.ceil(size / cells);
  const relit = views.map((view, v) =>
    relightCpu(view, views[reference]!, { weights: both(trusts[v]!, trusts[reference]!) })
  );
  const tones = views.map((_, v) => {
    const sums = new Float32Array(3 * cells * cells);
    const totals = new Float32Array(cells * cells);
    for (let i = 0; i < texels; i++) {
      const weight = trusts[v]![i]! * trusts[reference]![i]!;
      const cell = Math.floor(Math.floor(i / size) / side) * cells + Math.floor(i % size / side);
      totals[cell] = totals[cell]! + weight;
      for (let c = 0; c < 3; c++) {
        const at = 3 * cell + c;
        sums[at] = sums[at]! + weight * (relit[reference]![3 * i + c]! - relit[v]![3 * i + c]!);
      }
    }
    const means = sums.map((sum, i) => totals[Math.floor(i / 3)]! > 0 ? sum / totals[Math.floor(i / 3)]! : 0);
    const known = totals.map((total) => Math.min(1, total / (overlap * side * side)));
    return enlargeCpu(pushPullCpu(means, { weights: known, size: cells }), { from: cells, to: size });
  });
  const texture = new Float32Array(3 * texels);
  const shares = views.map(() => new Float32Array(texels));
  for (let i = 0; i < texels; i++) {
    const sum = weights.reduce((sum, weight) => sum + weight[i]!, 0);
    if (sum === 0) continue;
    for (const v of views.keys()) {
      const share = weights[v]![i]! / sum;
      shares[v]![i] = share;
      for (let c = 3 * i; c < 3 * i + 3; c++) texture[c] = texture[c]! + share * (relit[v]![c]! + tones[v]![c]!);
    }
  }
  const visibility = new Float32Array(texels);
  for (const { visibility: one } of views) one.forEach((value, i) => visibility[i] = Math.max(visibility[i]!, value));
  return { texture, visibility, shares };
}

/** Products of two maps. */
function both(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value * b[i]!);
}

/**
 * A view's texture in another's light: its own light is taken out and the other's put in, as far as the two textures
 * differ as the two lights do where both saw the skin.
 */
function relightCpu(
  view: FusedViewCpu,
  other: FusedViewCpu,
  { weights }: { weights: Float32Array },
): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lights = view.light.map((value, i) => other.light[i]! - value);
  const textures = view.texture.map((value, i) => other.texture[i]! - value);
  const [means, variance, covariance] = [[0, 0, 0, 0, 0, 0], [0], [0]] as [number[], number[], number[]];
  for (let i = 0; i < lights.length; i++) {
    const weight = weights[Math.floor(i / 3)]!;
    means[i % 3] = means[i % 3]! + weight * lights[i]!;
    means[3 + i % 3] = means[3 + i % 3]! + weight * textures[i]!;
  }
  if (total === 0) return view.texture.map((value, i) => value + lights[i]!);
  for (let i = 0; i < lights.length; i++) {
    const weight = weights[Math.floor(i / 3)]!;
    const [light, texture] = [lights[i]! - means[i % 3]! / total, textures[i]! - means[3 + i % 3]! / total];
    variance[0] = variance[0]! + weight * light * light;
    covariance[0] = covariance[0]! + weight * light * texture;
  }
  const share = Math.min(1, Math.max(0, covariance[0]! / (variance[0]! + FUSION.noise * total)));
  return view.texture.map((value, i) => value + share * lights[i]!);
}

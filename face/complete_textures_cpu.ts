/**
 * The reference of complete_textures.ts, plain loops over one face: what was not seen comes from the mirrored other
 * half, matched in colour, and what neither half saw is filled smoothly. The borders fade, so that no seam shows. Tests
 * and benchmarks alone use it.
 */
import { boxMeanCpu } from "@ftim/gpu/ops/box-mean-cpu";
import { BOUND, type CompleteOptions, LEAST_OVERLAP } from "./complete_options.ts";
import { enlargeCpu, pushPullCpu } from "@ftim/gpu/ops/push-pull-cpu";
import { extendBeyondChart } from "./extend_charts_cpu.ts";
import { flipMap } from "./flip_map_cpu.ts";
import { smoothstep } from "./smoothstep.ts";
import { uvMap } from "./uv_map.ts";

/**
 * Completes a texture.
 *
 * @param texture size²·3, as `unwrap` gives it.
 * @param visibility size², 0..1.
 * @returns size²·3, defined everywhere, also outside the chart; equal to `texture` where it was well seen, away from
 *   the border of what was seen.
 * @throws RangeError if nothing was seen.
 */
export function completeTexture(
  texture: Float32Array,
  visibility: Float32Array,
  { topology, feather = 6, trust = [0.25, 0.75], seam = 0, template, bound, cells = 16, gainPrior = 0.02 }:
    CompleteOptions,
): Float32Array {
  // Plain loops here and below: a training completes hundreds of textures before its first step.
  const size = Math.round(Math.sqrt(visibility.length));
  const map = uvMap(topology, size);
  const own = fade(extendBeyondChart(visibility, map), { size, radius: feather, trust });
  let seen = false;
  for (let i = 0; i < own.length; i++) {
    own[i] = own[i]! * map.inside[i]!;
    seen ||= own[i]! > 0;
  }
  if (!seen) throw new RangeError("A texture cannot be completed: no texel of it was seen");
  const mirrored = flipMap(texture, size);
  const other = flipMap(own, size);
  const matched = colourGain({ texture, mirrored, own, other, size, cells, gainPrior });
  for (let c = 0; c < matched.length; c++) matched[c] = Math.min(1, matched[c]! * mirrored[c]!);
  if (seam > 0) closeSeam(matched, { texture, own, other, size, radius: seam });
  if (bound !== undefined) boundColours(matched, { texture, template, own, size, bound });
  const known = new Float32Array(size * size);
  const colours = new Float32Array(3 * size * size);
  for (let i = 0; i < size * size; i++) {
    const a = own[i]!;
    const b = (1 - a) * other[i]!;
    known[i] = a + b;
    if (a + b <= 0) continue;
    for (let c = 3 * i; c < 3 * i + 3; c++) colours[c] = (a * texture[c]! + b * matched[c]!) / (a + b);
  }
  return continued(colours, { weights: known, template, size });
}

/**
 * Colours where their weight is 1 and a smooth continuation of them elsewhere: of how they differ from a template, if
 * there is one.
 */
function continued(
  colours: Float32Array,
  { weights, template, size }: { weights: Float32Array; template: Float32Array | undefined; size: number },
): Float32Array {
  if (template === undefined) return pushPullCpu(colours, { weights, size });
  const difference = new Float32Array(colours.length);
  for (let c = 0; c < colours.length; c++) difference[c] = colours[c]! - template[c]!;
  const all = pushPullCpu(difference, { weights, size });
  for (let c = 0; c < all.length; c++) all[c] = all[c]! + template[c]!;
  return all;
}

/** Draws the mirrored half's colours to within a bound of what was seen beside it. */
function boundColours(
  matched: Float32Array,
  { texture, template, own, size, bound }: {
    texture: Float32Array;
    template: Float32Array | undefined;
    own: Float32Array;
    size: number;
    bound: number;
  },
): void {
  const expected = continued(texture, { weights: own, template, size });
  const near = boxMeanCpu(own, { size, radius: BOUND.radius });
  for (let i = 0; i < near.length; i++) {
    const share = smoothstep(0, 0.5, near[i]!);
    if (share === 0) continue;
    const most = bound + BOUND.widening * (1 - share) / share;
    for (let c = 3 * i; c < 3 * i + 3; c++) {
      matched[c] = expected[c]! + Math.min(most, Math.max(-most, matched[c]! - expected[c]!));
    }
  }
}

/**
 * Weights that fall to 0 toward the border of what is visible: full where all texels within the radius are. What was
 * seen at a grazing angle is dropped early, since blending it with a good mirrored view would show everything twice.
 */
function fade(
  visibility: Float32Array,
  { size, radius, trust }: { size: number; radius: number; trust: readonly [number, number] },
): Float32Array {
  const near = boxMeanCpu(visibility, { size, radius });
  // The border is where a mean over the surroundings falls, not where the view turns grazing: scale by what counts in
  // full.
  const [low, high] = [0.5 / 0.75 * trust[1], Math.min(1, 0.95 / 0.75 * trust[1])];
  const [least, full] = trust;
  const weights = new Float32Array(visibility.length);
  for (let i = 0; i < weights.length; i++) {
    weights[i] = smoothstep(low, high, near[i]!) * smoothstep(least, full, visibility[i]!);
  }
  return weights;
}

/**
 * Bends the mirrored half to the colours of what was seen beside it. The step between the two halves, known where both
 * were seen, is continued smoothly over the border (as in membrane cloning: Farbman et al. 2009) and fades out with the
 * distance: far from the border the mirror image knows better.
 */
function closeSeam(
  matched: Float32Array,
  { texture, own, other, size, radius }: {
    texture: Float32Array;
    own: Float32Array;
    other: Float32Array;
    size: number;
    radius: number;
  },
): void {
  const step = new Float32Array(texture.length);
  for (let c = 0; c < step.length; c++) step[c] = texture[c]! - matched[c]!;
  const both = new Float32Array(own.length);
  for (let i = 0; i < both.length; i++) both[i] = own[i]! * other[i]!;
  const bend = pushPullCpu(step, { weights: both, size });
  const near = boxMeanCpu(own, { size, radius });
  for (let i = 0; i < near.length; i++) {
    const share = smoothstep(0, 0.5, near[i]!);
    for (let c = 3 * i; c < 3 * i + 3; c++) matched[c] = matched[c]! + share * bend[c]!;
  }
}

/**
 * What the mirrored half must be multiplied with to look lit like this one: ratios of mean colours on coarse cells that
 * both halves saw, continued smoothly over the rest. Cells with little overlap lean on the ratio over the whole face.
 */
function colourGain(
  { texture, mirrored, own, other, size, cells, gainPrior }: {
    texture: Float32Array;
    mirrored: Float32Array;
    own: Float32Array;
    other: Float32Array;
    size: number;
    cells: number;
    gainPrior: number;
  },
): Float32Array {
  const side = Math.ceil(size / cells);
  const here = new Float64Array(3 * cells * cells);
  const there = new Float64Array(3 * cells * cells);
  const weights = new Float32Array(cells * cells);
  for (let i = 0; i < size * size; i++) {
    const weight = own[i]! * other[i]!;
    if (weight === 0) continue;
    const cell = Math.floor(Math.floor(i / size) / side) * cells + Math.floor(i % size / side);
    weights[cell] = weights[cell]! + weight / (side * side);
    for (let c = 0; c < 3; c++) {
      here[3 * cell + c] = here[3 * cell + c]! + weight * texture[3 * i + c]!;
      there[3 * cell + c] = there[3 * cell + c]! + weight * mirrored[3 * i + c]!;
    }
  }
  const gain = new Float32Array(3 * cells * cells);
  const prior = gainPrior * side * side;
  for (let i = 0; i < gain.length; i++) {
    gain[i] = Math.min(2.5, Math.max(0.4, (here[i]! + prior) / (there[i]! + prior)));
  }
  return enlargeCpu(
    pushPullCpu(gain, { weights: weights.map((w) => Math.max(LEAST_OVERLAP, Math.min(1, 4 * w))), size: cells }),
    {
      from: cells,
      to: size,
    },
  );
}

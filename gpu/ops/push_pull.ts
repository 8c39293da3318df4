/**
 * Push-pull on the device: what is not known in a stack of square maps is filled with a smooth continuation of what is
 * (Gortler et al. 1996, "The Lumigraph", §3.4), and maps are enlarged bilinearly.
 *
 * Inside, a map is a tensor of texels [maps·size², 4]: three values and their weight. Each level is one dispatch for
 * the whole stack, and an invocation works on a block of 2×2 texels of the larger level, so a level reads the nine
 * texels around it once.
 */

import type { Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "../backend.ts";
import {
  enlargeCode,
  packCode,
  packFoursCode,
  pullCode,
  pushCode,
  unpackCode,
  unpackFoursCode,
} from "./push_pull_wgsl.ts";
import { run } from "./run.ts";

export { BLOCK_MEAN, ENLARGED_FROM, smoothBlock } from "./push_pull_wgsl.ts";

/** The side of the next smaller level. */
export function halfOf(size: number): number {
  return Math.ceil(size / 2);
}

/**
 * Fills what is unknown in maps of texels. What reads a level can add the last step itself, with `blockMean` and
 * `smoothBlock`, from the next smaller level, filled.
 *
 * @param texels [maps·size², 4]: three values and a weight 0..1; where the weight is 0, so are the values if size is 1
 * @returns `filled`: the same with each texel's values filled in; `top`: the weighted mean of each map and the sum of
 *   its weights, 1 at most [maps, 4]
 */
export function fillTexels(
  tf: Tfjs,
  texels: Tensor2D,
  { size }: { size: number },
): { filled: Tensor2D; top: Tensor2D } {
  const levels = [{ texels, size }];
  for (let side = size; side > 1; side = halfOf(side)) {
    const half = halfOf(side);
    const count = texels.shape[0] / size ** 2 * half ** 2;
    const smaller = run(tf, {
      key: "push_texels",
      code: pushCode,
      inputs: [levels.at(-1)!.texels],
      shape: [count, 4],
      uniforms: [count, side, half],
      invocations: count,
    }) as Tensor2D;
    levels.push({ texels: smaller, size: half });
  }
  const top = levels.pop()!.texels;
  let filled = top;
  for (const level of levels.reverse()) {
    const half = halfOf(level.size);
    const count = filled.shape[0];
    filled = run(tf, {
      key: "pull_texels",
      code: pullCode,
      inputs: [level.texels, filled],
      shape: level.texels.shape,
      uniforms: [count, level.size, half],
      invocations: count,
    }) as Tensor2D;
  }
  return { filled, top };
}

/**
 * Fills what is not known in square maps with a smooth continuation of what is.
 *
 * @param values [maps, size, size, channels]
 * @param options.weights [maps, size, size], 0 (unknown) to 1 (known, kept as it is)
 * @returns [maps, size, size, channels]; 0 everywhere in a map of which nothing is known
 * @throws {RangeError} if the maps are not square, or the weights are not theirs
 */
export function pushPull(tf: Tfjs, values: Tensor4D, { weights }: { weights: Tensor }): Tensor4D {
  const [maps, size, width, channels] = values.shape;
  if (size !== width || weights.size !== maps * size * size) {
    throw new RangeError(`Maps [${values.shape}] cannot be filled by weights [${weights.shape}]`);
  }
  if (values.size === 0) return values.clone();
  // Three channels are filled at a time, and on their way four texels of three are three elements of four.
  const groups = Math.ceil(channels / 3);
  const count = maps * groups * size * size;
  const fours = channels === 3 && count % 4 === 0;
  const [invocations, key] = fours ? [count / 4, "fours"] : [count, "texels"];
  const uniforms = [invocations, size * size, channels, groups];
  return tf.tidy(() => {
    const texels = run(tf, {
      key: `push_pull_pack_${key}`,
      code: fours ? packFoursCode : packCode,
      inputs: [values, weights],
      shape: [count, 4],
      uniforms,
      invocations,
    }) as Tensor2D;
    return run(tf, {
      key: `push_pull_unpack_${key}`,
      code: fours ? unpackFoursCode : unpackCode,
      inputs: [fillTexels(tf, texels, { size }).filled],
      shape: values.shape,
      uniforms: [...uniforms, size === 1 ? 1 : 0],
      invocations,
    }) as Tensor4D;
  });
}

/**
 * Square maps brought to a larger size bilinearly. Texel (0, 0) of both has its corner at the origin, and a texel of
 * the smaller map covers the same whole number of texels of the larger (the last row may stand over).
 *
 * @param values [maps, from, from, channels]
 * @param options.size side of the larger maps
 * @returns [maps, size, size, channels]
 * @throws {RangeError} if the maps are not square
 */
export function enlarge(tf: Tfjs, values: Tensor4D, { size }: { size: number }): Tensor4D {
  const [maps, from, width, channels] = values.shape;
  if (from !== width) throw new RangeError(`Maps [${values.shape}] are not square`);
  if (values.size === 0) return tf.zeros([maps, size, size, channels]);
  const count = maps * size * size;
  return run(tf, {
    key: `enlarge_maps_${channels}`,
    code: () => enlargeCode(channels),
    inputs: [values],
    shape: [maps, size, size, channels],
    uniforms: [count, from, size, Math.ceil(size / from)],
    invocations: count,
  }) as Tensor4D;
}

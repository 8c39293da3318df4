/**
 * One incomplete texture of several photographs of a person, on the device. The fitted light of each view is taken out
 * by subtraction, and that of the reference put in. A fit is unsure of what its view did not see, so it counts as far
 * as the photographs bear it out: by the regression of the difference of the two textures on that of the two lights,
 * where both saw the skin. In one light, whatever the fits say, nothing is changed. What is left, another exposure or a
 * shadow, is known as a mean difference on coarse cells that both saw, and continued smoothly over the rest (as in
 * membrane cloning: Farbman et al. 2009). A texel then is nearly that of the view that has most pixels on it.
 *
 * `fuseViewsCpu` is the reference, whose settings are in fuse_settings.ts; values agree to f32 rounding.
 */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { fillTexels } from "@ftim/gpu/ops/push-pull";
import { emptyTensor, program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import { FUSION, viewFactors } from "./fuse_settings.ts";
import { GUESS } from "./guess_settings.ts";

/** What the photographs show. */
export interface FusedInputs {
  /** The unwrapped textures [B, S, S, 3]. */
  readonly textures: Tensor4D;
  /** What the light of each adds to its template's albedo [B, S, S, 3]. */
  readonly lights: Tensor4D;
  /** [B, S, S] */
  readonly visibilities: Tensor3D;
  /** Unit normals, z to the viewer [B, S, S, 3]. */
  readonly normals: Tensor4D;
}

/** A fused texture. The caller disposes of the tensors. */
export interface FusedTexture {
  /** In the light and tone of the reference [S, S, 3]; 0 where no view saw anything. */
  readonly texture: Tensor3D;
  /** That of the view which saw the texel best [S, S]. */
  readonly visibility: Tensor2D;
  /** How much each view counts; their sum is 1 where some view saw something [B, S, S]. */
  readonly shares: Tensor3D;
}

/**
 * Fuses views.
 *
 * @param options.densities pixels of each photograph that a unit of length in its crop has; `reference` index of the
 *   view whose light and tone all take on
 * @throws {RangeError} if shapes do not fit
 */
export function fuseViews(
  tf: Tfjs,
  { textures, lights, visibilities, normals }: FusedInputs,
  { densities, reference }: { readonly densities: readonly number[]; readonly reference: number },
): FusedTexture {
  const [count, size, width] = textures.shape;
  if (
    count !== densities.length || size !== width || visibilities.size !== count * size * size ||
    [lights, normals].some((maps) => maps.size !== textures.size)
  ) {
    throw new RangeError(
      `Cannot fuse ${densities.length} views of textures [${textures.shape}] and visibilities [${visibilities.shape}]`,
    );
  }
  const { cells, overlap, sharpness } = FUSION;
  const side = Math.ceil(size / cells);
  const texels = size * size;
  const [least, full] = GUESS.trust;
  const { visibility, shares, fused } = tf.tidy(() => {
    const trusted = run(tf, {
      key: "fuse_trust",
      code: trustCode,
      inputs: [visibilities, normals],
      shape: [count, texels, 1],
      uniforms: [count * texels, { f32: least }, { f32: full }],
      invocations: count * texels,
    });
    const maps = [textures, lights].map((maps) => tf.reshape(maps, [count, texels, 3]));
    const trusts = tf.concat([relit(tf, maps as [Tensor, Tensor], { trusted, reference }), trusted], 2);
    const tones = run(tf, {
      key: "fuse_tones",
      code: tonesCode,
      inputs: [trusts],
      shape: [count * cells * cells, 4],
      uniforms: [count * cells * cells, size, cells, side, reference, { f32: 1 / (overlap * side * side) }],
      invocations: count * cells * cells,
    }) as Tensor2D;
    const [visibility, shares] = [[size, size], [count, size, size]].map((shape) =>
      emptyTensor(tf, { shape, dtype: "float32" })
    ) as [Tensor, Tensor];
    const fused = run(tf, {
      key: "fuse_views",
      code: fuseCode,
      inputs: [
        trusts,
        visibilities,
        normals,
        fillTexels(tf, tones, { size: cells }).filled,
        tf.tensor1d(viewFactors(densities, reference)),
      ],
      outputs: [visibility, shares],
      shape: [size, size, 3],
      uniforms: [texels, count, size, cells, side, { f32: sharpness }],
      invocations: texels,
    });
    return { fused, visibility, shares };
  });
  return { texture: fused as Tensor3D, visibility: visibility as Tensor2D, shares: shares as Tensor3D };
}

/** Each view's texture in the light of the reference [B, T, 3], as far as the photographs bear it out. */
function relit(
  tf: Tfjs,
  [textures, lights]: readonly [Tensor, Tensor],
  { trusted, reference }: { readonly trusted: Tensor; readonly reference: number },
): Tensor {
  const differences = (maps: Tensor) => tf.sub(tf.slice(maps, reference, 1), maps);
  const weights = tf.mul(tf.slice(trusted, reference, 1), trusted);
  const total = tf.sum(weights, 1, true);
  const centred = (maps: Tensor) => tf.sub(maps, tf.divNoNan(tf.sum(tf.mul(weights, maps), 1, true), total));
  const [byLight, byTexture] = [differences(lights), differences(textures)];
  const light = centred(byLight);
  const sum = (products: Tensor) => tf.sum(tf.mul(weights, products), [1, 2], true);
  const variance = tf.add(sum(tf.square(light)), tf.mul(total, FUSION.noise));
  const share = tf.clipByValue(tf.divNoNan(sum(tf.mul(light, centred(byTexture))), variance), 0, 1);
  // without a texel that both saw there is only the fit to go by
  const known = tf.where(tf.greater(total, 0), share, tf.onesLike(share));
  return tf.add(textures, tf.mul(known, byLight));
}

/** How far each texel of each view is trusted to show its tone: grazing views show what lies beside the face. */
const trustCode = () =>
  program({
    result: "f32",
    inputs: [["visibilities", "f32"], ["normals", "f32"]],
    uniforms: ["count", "least:f32", "full:f32"],
    body: `
  if (id >= u.count) { return; }
  let facing = max(0.0, normals[3 * id + 2]);
  result[id] = smoothstep(u.least, u.full, visibilities[id]) * facing * facing;`,
  });

/** The mean difference from the reference in each cell, and how well it is known. */
const tonesCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["views", "vec4<f32>"]],
    uniforms: ["count", "size", "cells", "side", "reference", "scale:f32"],
    functions: QUOTIENT,
    body: `
  if (id >= u.count) { return; }
  let view = quotient(id, u.cells * u.cells);
  let cell = id - view * u.cells * u.cells;
  let row = quotient(cell, u.cells);
  let first = u.side * vec2<i32>(cell - row * u.cells, row);
  let end = min(first + u.side, vec2<i32>(u.size));
  var sum = vec4<f32>();
  for (var y = first.y; y < end.y; y++) {
    for (var x = first.x; x < end.x; x++) {
      let at = y * u.size + x;
      let one = views[view * u.size * u.size + at];
      let other = views[u.reference * u.size * u.size + at];
      let both = one.w * other.w;
      sum += vec4<f32>(both * (other.xyz - one.xyz), both);
    }
  }
  let mean = select(vec3<f32>(), sum.xyz / sum.w, sum.w > 0.0);
  result[id] = vec4<f32>(mean, min(1.0, sum.w * u.scale));`,
  });

const fuseCode = () =>
  program({
    result: "f32",
    inputs: [
      ["views", "vec4<f32>"],
      ["visibilities", "f32"],
      ["normals", "f32"],
      ["tones", "vec4<f32>"],
      ["factors", "f32"],
    ],
    outputs: [["visibility", "f32"], ["shares", "f32"]],
    uniforms: ["count", "faces", "size", "cells", "side", "sharpness:f32"],
    functions: QUOTIENT + `
fn weightOf(view : i32, texel : i32) -> f32 {
  let at = view * u.count + texel;
  let facing = max(0.0, normals[3 * at + 2]) * factors[view];
  return select(0.0, visibilities[at] * pow(facing, u.sharpness), facing > 0.0);
}
fn toneAt(view : i32, place : vec2<f32>) -> vec3<f32> {
  let last = vec2<f32>(f32(u.cells - 1));
  let start = clamp(place / f32(u.side) - 0.5, vec2<f32>(), last);
  let low = vec2<i32>(start);
  let high = min(low + 1, vec2<i32>(u.cells - 1));
  let part = fract(start);
  let base = view * u.cells * u.cells;
  let top = mix(tones[base + low.y * u.cells + low.x], tones[base + low.y * u.cells + high.x], part.x);
  let bottom = mix(tones[base + high.y * u.cells + low.x], tones[base + high.y * u.cells + high.x], part.x);
  return mix(top, bottom, part.y).xyz;
}
`,
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.size);
  let place = vec2<f32>(vec2<i32>(id - row * u.size, row)) + 0.5;
  var total = 0.0;
  var best = 0.0;
  for (var view = 0; view < u.faces; view++) {
    total += weightOf(view, id);
    best = max(best, visibilities[view * u.count + id]);
  }
  var colour = vec3<f32>();
  for (var view = 0; view < u.faces; view++) {
    let share = select(0.0, weightOf(view, id) / total, total > 0.0);
    shares[view * u.count + id] = share;
    colour += share * (views[view * u.count + id].xyz + toneAt(view, place));
  }
  visibility[id] = best;
  result[3 * id] = colour.x;
  result[3 * id + 1] = colour.y;
  result[3 * id + 2] = colour.z;`,
  });

/** The programs behind push_pull.ts, and the parts of them that other programs on texels use. */
import { program } from "../kernels/dispatch.ts";
import { QUOTIENT } from "../kernels/division.ts";

/**
 * WGSL that continues a level over a block of 2×2 texels of the next larger one. `smoothBlock` takes a map's first
 * texel, the block's place and the side of the level; elements are the block's texels row by row.
 *
 * @param name of the function
 * @param level name of the array of texels of the smaller level
 */
export const smoothBlock = (name: string, level: string): string => /* wgsl */ `
fn ${name}(first : i32, at : vec2<i32>, side : i32) -> array<vec4<f32>, 4> {
  let x = vec3<i32>(max(at.x - 1, 0), at.x, min(at.x + 1, side - 1));
  let y = first + side * vec3<i32>(max(at.y - 1, 0), at.y, min(at.y + 1, side - 1));
  let b = ${level}[y.x + x.y];
  let e = ${level}[y.y + x.y];
  let h = ${level}[y.z + x.y];
  let left = array<vec4<f32>, 3>(
    mix(${level}[y.x + x.x], b, 0.75), mix(${level}[y.y + x.x], e, 0.75), mix(${level}[y.z + x.x], h, 0.75));
  let right = array<vec4<f32>, 3>(
    mix(b, ${level}[y.x + x.z], 0.25), mix(e, ${level}[y.y + x.z], 0.25), mix(h, ${level}[y.z + x.z], 0.25));
  return array<vec4<f32>, 4>(
    mix(left[0], left[1], 0.75), mix(right[0], right[1], 0.75),
    mix(left[1], left[2], 0.25), mix(right[1], right[2], 0.25));
}
`;

/** WGSL of a block's mean, weighted: `sum` holds the weighted values and the weights of its four texels, summed. */
export const BLOCK_MEAN = /* wgsl */ `
fn blockMean(sum : vec4<f32>) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(sum.xyz / sum.w, min(1.0, sum.w)), sum.w > 0.0);
}
`;

/**
 * WGSL of where a texel of a larger map reads: `enlargedFrom` gives the two texels of the smaller and the share of the
 * second.
 */
export const ENLARGED_FROM = /* wgsl */ `
struct Pair { low : i32, high : i32, share : f32 }
fn enlargedFrom(i : i32, ratio : i32, side : i32) -> Pair {
  let at = clamp((f32(i) + 0.5) / f32(ratio) - 0.5, 0.0, f32(side - 1));
  let low = i32(floor(at));
  return Pair(low, min(low + 1, side - 1), at - f32(low));
}
`;

/** Which map and which block of 2×2 texels an invocation has: the block's texel of the next smaller level. */
const BLOCK = `
  if (id >= u.count) { return; }
  let area = u.half * u.half;
  let map = quotient(id, area);
  let place = id - map * area;
  let y = quotient(place, u.half);
  let x = place - y * u.half;
`;

/** The next smaller level of texels. */
export const pushCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["level", "vec4<f32>"]],
    uniforms: ["count", "side", "half"],
    functions: QUOTIENT + BLOCK_MEAN,
    body: `${BLOCK}  let at = (map * u.side + 2 * y) * u.side + 2 * x;
  let across = f32(2 * x + 1 < u.side);
  let down = f32(2 * y + 1 < u.side);
  let right = select(0, 1, 2 * x + 1 < u.side);
  let below = select(0, u.side, 2 * y + 1 < u.side);
  let a = level[at];
  let b = level[at + right];
  let c = level[at + below];
  let d = level[at + below + right];
  let w = vec4<f32>(a.w, b.w * across, c.w * down, d.w * across * down);
  result[id] = blockMean(vec4<f32>(w.x * a.xyz + w.y * b.xyz + w.z * c.xyz + w.w * d.xyz, w.x + w.y + w.z + w.w));`,
  });

/** A level filled in from the next smaller one. */
export const pullCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["level", "vec4<f32>"], ["filled", "vec4<f32>"]],
    uniforms: ["count", "side", "half"],
    functions: QUOTIENT + smoothBlock("smoothBlock", "filled") + /* wgsl */ `
fn pull(at : i32, smoothed : vec4<f32>) {
  let known = level[at];
  let weight = min(1.0, known.w);
  result[at] = vec4<f32>(weight * known.xyz + (1.0 - weight) * smoothed.xyz, known.w);
}
`,
    // Beyond the border the block's first row or column comes once more, so that nothing needs to branch: on a software
    // adapter all branches are computed.
    body: `${BLOCK}  let smoothed = smoothBlock(map * area, vec2<i32>(x, y), u.half);
  let at = (map * u.side + 2 * y) * u.side + 2 * x;
  let right = 2 * x + 1 < u.side;
  let below = 2 * y + 1 < u.side;
  let across = select(0, 1, right);
  let down = select(0, u.side, below);
  let upper = select(smoothed[0], smoothed[1], right);
  pull(at, smoothed[0]);
  pull(at + across, upper);
  pull(at + down, select(smoothed[0], smoothed[2], below));
  pull(at + down + across, select(upper, select(smoothed[2], smoothed[3], right), below));`,
  });

/** Texels of three channels at a time. */
export const packCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["values", "f32"], ["weights", "f32"]],
    uniforms: ["count", "area", "channels", "groups"],
    functions: QUOTIENT,
    body: `
  if (id >= u.count) { return; }
  let stack = quotient(id, u.area);
  let map = quotient(stack, u.groups);
  let channel = 3 * (stack - map * u.groups);
  let texel = map * u.area + id - stack * u.area;
  let at = texel * u.channels + channel;
  let left = u.channels - channel;
  result[id] = vec4<f32>(
    values[at],
    select(0.0, values[at + min(1, left - 1)], left > 1),
    select(0.0, values[at + min(2, left - 1)], left > 2),
    weights[texel]);`,
  });

/** The same of three channels, four texels at a time. */
export const packFoursCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["values", "vec4<f32>"], ["weights", "vec4<f32>"]],
    uniforms: ["count", "area", "channels", "groups"],
    body: `
  if (id >= u.count) { return; }
  let p = values[3 * id];
  let q = values[3 * id + 1];
  let r = values[3 * id + 2];
  let w = weights[id];
  result[4 * id] = vec4<f32>(p.xyz, w.x);
  result[4 * id + 1] = vec4<f32>(p.w, q.xy, w.y);
  result[4 * id + 2] = vec4<f32>(q.zw, r.x, w.z);
  result[4 * id + 3] = vec4<f32>(r.yzw, w.w);`,
  });

const SINGLE = /* wgsl */ `
fn texelAt(i : i32) -> vec4<f32> {
  let texel = texels[i];
  return select(texel, vec4<f32>(), u.single == 1 && texel.w <= 0.0);
}
`;

/** The channels of texels. In maps of a single texel what is not known is 0. */
export const unpackCode = () =>
  program({
    result: "f32",
    inputs: [["texels", "vec4<f32>"]],
    uniforms: ["count", "area", "channels", "groups", "single"],
    functions: QUOTIENT + SINGLE,
    body: `
  if (id >= u.count) { return; }
  let stack = quotient(id, u.area);
  let map = quotient(stack, u.groups);
  let channel = 3 * (stack - map * u.groups);
  let at = (map * u.area + id - stack * u.area) * u.channels + channel;
  let texel = texelAt(id);
  result[at] = texel.x;
  if (channel + 1 < u.channels) { result[at + 1] = texel.y; }
  if (channel + 2 < u.channels) { result[at + 2] = texel.z; }`,
  });

/** The same of three channels, four texels at a time. */
export const unpackFoursCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["texels", "vec4<f32>"]],
    uniforms: ["count", "area", "channels", "groups", "single"],
    functions: SINGLE,
    body: `
  if (id >= u.count) { return; }
  let a = texelAt(4 * id);
  let b = texelAt(4 * id + 1);
  let c = texelAt(4 * id + 2);
  let d = texelAt(4 * id + 3);
  result[3 * id] = vec4<f32>(a.xyz, b.x);
  result[3 * id + 1] = vec4<f32>(b.yz, c.xy);
  result[3 * id + 2] = vec4<f32>(c.z, d.xyz);`,
  });

/** Larger maps. */
export const enlargeCode = (channels: number) =>
  program({
    result: "f32",
    inputs: [["values", "f32"]],
    uniforms: ["count", "from_side", "to_side", "ratio"],
    functions: QUOTIENT + ENLARGED_FROM,
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.to_side);
  let map = quotient(row, u.to_side);
  let x = enlargedFrom(id - row * u.to_side, u.ratio, u.from_side);
  let y = enlargedFrom(row - map * u.to_side, u.ratio, u.from_side);
  let upper = (map * u.from_side + y.low) * u.from_side;
  let lower = (map * u.from_side + y.high) * u.from_side;
  let a = ${channels} * (upper + x.low);
  let b = ${channels} * (upper + x.high);
  let c = ${channels} * (lower + x.low);
  let d = ${channels} * (lower + x.high);
  let to = ${channels} * id;
  for (var k = 0; k < ${channels}; k++) {
    let top = values[a + k] * (1.0 - x.share) + values[b + k] * x.share;
    let low = values[c + k] * (1.0 - x.share) + values[d + k] * x.share;
    result[to + k] = top * (1.0 - y.share) + low * y.share;
  }`,
  });

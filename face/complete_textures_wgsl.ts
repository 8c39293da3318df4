/**
 * The programs behind complete_textures.ts. Each output has one invocation and a fixed order of work, so a result
 * repeats bit for bit.
 *
 * Weights are packed four in a row's element (see box_mean.ts). Colours are four floats a texel: `seen` holds the
 * texture and how far the texel counts as seen, `plain` the template.
 */
import { program, QUOTIENT } from "@ftim/gpu/wgsl";
import { BLOCK_MEAN, ENLARGED_FROM, smoothBlock } from "@ftim/gpu/ops/push-pull";

const VEC4 = "vec4<f32>";

/** The visibility of what is in the chart, and of the nearest texel that is where one is not; packed. */
export const visibilityCode = () =>
  program({
    result: VEC4,
    inputs: [["visibility", "f32"], ["nearest", "vec4<i32>"]],
    uniforms: ["count", "elements", "area"],
    functions: QUOTIENT,
    body: `
  if (id >= u.count) { return; }
  let map = quotient(id, u.elements);
  let texel = map * u.area + nearest[id - map * u.elements];
  let seen = vec4<f32>(visibility[texel.x], visibility[texel.y], visibility[texel.z], visibility[texel.w]);
  // What is no number is not seen.
  result[id] = select(vec4<f32>(), seen, seen > vec4<f32>());`,
  });

/** How far each texel counts as seen, packed; 0 outside the chart. */
export const ownCode = () =>
  program({
    result: VEC4,
    inputs: [["visibility", VEC4], ["near", VEC4], ["nearest", "vec4<i32>"]],
    uniforms: ["count", "elements", "row", "size", "low:f32", "high:f32", "least:f32", "full:f32"],
    functions: QUOTIENT + RISE,
    body: `
  if (id >= u.count) { return; }
  let place = id - quotient(id, u.elements) * u.elements;
  let y = quotient(place, u.row);
  let at = vec4<i32>(y * u.size + 4 * (place - y * u.row)) + vec4<i32>(0, 1, 2, 3);
  let weight = rise4(u.low, u.high, near[id]) * rise4(u.least, u.full, visibility[id]);
  result[id] = select(vec4<f32>(), weight, nearest[place] == at);`,
  });

const RISE = /* wgsl */ `
fn rise4(low : f32, high : f32, value : vec4<f32>) -> vec4<f32> {
  let t = clamp((value - low) / (high - low), vec4<f32>(), vec4<f32>(1));
  return t * t * (3 - 2 * t);
}
`;

/**
 * `seen`, or the template's texels. What is not seen is 0, and a colour that is no finite number is not seen: times a
 * weight of 0 it would still spread.
 *
 * @param fours whether rows are whole elements, so that four texels of three values are read as three elements
 */
export const gatherCode = (fours: boolean) =>
  program({
    result: VEC4,
    inputs: [["values", fours ? VEC4 : "f32"], ["weights", VEC4]],
    uniforms: ["count", "row", "size", "weighted"],
    functions: QUOTIENT + /* wgsl */ `
fn texel(colour : vec3<f32>, weight : f32) -> vec4<f32> {
  let finite = (bitcast<vec3<u32>>(colour) & vec3<u32>(0x7fffffff)) < vec3<u32>(0x7f800000);
  return select(vec4<f32>(), vec4<f32>(colour, weight), all(finite) && (weight > 0 || u.weighted == 0));
}
`,
    body: fours
      ? `
  if (id >= u.count) { return; }
  let p = values[3 * id];
  let q = values[3 * id + 1];
  let r = values[3 * id + 2];
  let w = weights[id * u.weighted];
  result[4 * id] = texel(p.xyz, w.x);
  result[4 * id + 1] = texel(vec3<f32>(p.w, q.xy), w.y);
  result[4 * id + 2] = texel(vec3<f32>(q.zw, r.x), w.z);
  result[4 * id + 3] = texel(r.yzw, w.w);`
      : `
  if (id >= u.count) { return; }
  let y = quotient(id, u.row);
  let x = 4 * (id - y * u.row);
  let w = weights[id * u.weighted];
  for (var k = 0; k < min(4, u.size - x); k++) {
    let at = y * u.size + x + k;
    result[at] = texel(vec3<f32>(values[3 * at], values[3 * at + 1], values[3 * at + 2]), w[k]);
  }`,
  });

/** WGSL that reads the template. Where there is none, `plain` is one texel of 0. */
const TEMPLATE = /* wgsl */ `
fn templateAt(i : i32) -> vec3<f32> { return plain[i * u.templated].xyz; }
`;

/**
 * Sums over the texels of one row of a cell: the colours of this half and the weight, then the colours of the other.
 */
export const cellRowsCode = () =>
  program({
    result: VEC4,
    inputs: [["seen", VEC4]],
    uniforms: ["count", "size", "cells", "side"],
    functions: QUOTIENT,
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.cells);
  let first = (id - row * u.cells) * u.side;
  let at = row * u.size;
  var here = vec4<f32>();
  var there = vec3<f32>();
  for (var x = first; x < min(first + u.side, u.size); x++) {
    let own = seen[at + x];
    let other = seen[at + u.size - 1 - x];
    let weight = own.w * other.w;
    here += weight * vec4<f32>(own.xyz, 1);
    there += weight * other.xyz;
  }
  result[2 * id] = here;
  result[2 * id + 1] = vec4<f32>(there, 0);`,
  });

/** The gain of each cell, and how much it says. */
export const cellGainsCode = () =>
  program({
    result: VEC4,
    inputs: [["sums", VEC4]],
    uniforms: ["count", "size", "cells", "side", "prior:f32", "least:f32"],
    functions: QUOTIENT,
    body: `
  if (id >= u.count) { return; }
  let area = u.cells * u.cells;
  let map = quotient(id, area);
  let cell = id - map * area;
  let y = quotient(cell, u.cells);
  let x = cell - y * u.cells;
  var here = vec4<f32>();
  var there = vec3<f32>();
  for (var row = y * u.side; row < min((y + 1) * u.side, u.size); row++) {
    let at = 2 * ((map * u.size + row) * u.cells + x);
    here += sums[at];
    there += sums[at + 1].xyz;
  }
  let gain = clamp((here.xyz + u.prior) / (there + u.prior), vec3<f32>(0.4), vec3<f32>(2.5));
  result[id] = vec4<f32>(gain, max(u.least, min(1.0, 4 * here.w / f32(u.side * u.side))));`,
  });

/**
 * WGSL that finds the block of 2×2 texels of an invocation. What lies beyond the map's border is the block's first row
 * or column once more, so that nothing needs to branch: on a software adapter all branches are computed.
 */
const BLOCK = `
  if (id >= u.count) { return; }
  let area = u.half * u.half;
  let map = quotient(id, area);
  let place = id - map * area;
  let line = quotient(place, u.half);
  let block = vec2<i32>(place - line * u.half, line);
  let right = 2 * block.x + 1 < u.size;
  let below = 2 * block.y + 1 < u.size;
  let x0 = 2 * block.x;
  let x1 = x0 + i32(right);
  let row0 = (map * u.size + 2 * block.y) * u.size;
  let row1 = row0 + select(0, u.size, below);
  let inside = vec4<f32>(1, f32(right), f32(below), f32(right && below));`;

/** The texels of a block. */
const TEXELS = [{ j: 0, i: 0, k: 0 }, { j: 0, i: 1, k: 1 }, { j: 1, i: 0, k: 2 }, { j: 1, i: 1, k: 3 }] as const;

/** Gains continued along the rows of cells [maps, cells, size]. */
export const gainRowsCode = () =>
  program({
    result: VEC4,
    inputs: [["gains", VEC4]],
    uniforms: ["count", "size", "cells", "ratio"],
    functions: QUOTIENT + ENLARGED_FROM,
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.size);
  let across = enlargedFrom(id - row * u.size, u.ratio, u.cells);
  result[id] = mix(gains[row * u.cells + across.low], gains[row * u.cells + across.high], across.share);`,
  });

/**
 * The mirrored half in the light of this one. Beside it the second level of two things: of how this half differs from
 * the mirrored one where both were seen, for all faces, and then of this half's difference from the template.
 */
export const matchCode = () =>
  program({
    result: VEC4,
    inputs: [["seen", VEC4], ["plain", VEC4], ["gains", VEC4]],
    outputs: [["matched", VEC4]],
    uniforms: ["count", "size", "half", "cells", "ratio", "templated"],
    functions: QUOTIENT + TEMPLATE + BLOCK_MEAN + ENLARGED_FROM,
    body: `${BLOCK}
  let first = map * u.cells;
  let down0 = enlargedFrom(2 * block.y, u.ratio, u.cells);
  let down1 = enlargedFrom(2 * block.y + i32(below), u.ratio, u.cells);
  let upper0 = (first + down0.low) * u.size;
  let lower0 = (first + down0.high) * u.size;
  let upper1 = (first + down1.low) * u.size;
  let lower1 = (first + down1.high) * u.size;
  var sum = vec4<f32>();
  var own_sum = vec4<f32>();${
      TEXELS.map(({ j, i, k }) => `
  let own${k} = seen[row${j} + x${i}];
  let other${k} = seen[row${j} + u.size - 1 - x${i}];
  let gain${k} = mix(gains[upper${j} + x${i}].xyz, gains[lower${j} + x${i}].xyz, down${j}.share);
  let colour${k} = min(vec3<f32>(1), gain${k} * other${k}.xyz);
  matched[row${j} + x${i}] = vec4<f32>(colour${k}, other${k}.w);
  sum += inside[${k}] * own${k}.w * other${k}.w * vec4<f32>(own${k}.xyz - colour${k}, 1);
  own_sum += inside[${k}] * own${k}.w * vec4<f32>(own${k}.xyz - templateAt(row${j} + x${i}), 1);`).join("")
    }
  result[id] = blockMean(sum);
  result[u.count + id] = blockMean(own_sum);`,
  });

/**
 * What is known of the texture: this half, and the mirrored half, bent to its colours if `seamed`, and held near them
 * if `bounded`. Beside it the second level of the same. `smoothed` is the filled second level of what `matchCode` gives.
 */
export const blendCode = ({ seamed, bounded }: { seamed: boolean; bounded: boolean }) =>
  program({
    result: VEC4,
    inputs: [
      ["seen", VEC4],
      ["plain", VEC4],
      ["matched", VEC4],
      ["smoothed", VEC4],
      ["beside", VEC4],
      ["near", VEC4],
    ],
    outputs: [["known", VEC4]],
    uniforms: ["count", "size", "half", "elements", "templated", "bound:f32", "widening:f32"],
    functions: QUOTIENT + TEMPLATE + BLOCK_MEAN + smoothBlock("smoothBlock", "smoothed") + /* wgsl */ `
fn rise(value : f32) -> f32 {
  let t = clamp(value / 0.5, 0, 1);
  return t * t * (3 - 2 * t);
}
fn blend(at : i32, bend : vec3<f32>, likely : vec3<f32>, beside_share : f32, near_share : f32) -> vec4<f32> {
  let base = templateAt(at);
  let own = seen[at];
  let other = matched[at];
  var mirrored = other.xyz;${
      seamed
        ? `
  let both = own.w * other.w;
  mirrored += rise(beside_share) * (both * (own.xyz - mirrored) + (1 - both) * bend);`
        : ""
    }${
      bounded
        ? `
  let share = rise(near_share);
  let middle = own.w * (own.xyz - base) + (1 - own.w) * likely + base;
  let most = vec3<f32>(u.bound + u.widening * (1 - share) / max(share, 1e-20));
  mirrored = select(mirrored, middle + min(most, max(-most, mirrored - middle)), share > 0);`
        : ""
    }
  let rest = (1 - own.w) * other.w;
  let weight = own.w + rest;
  let mean = (own.w * own.xyz + rest * mirrored) / max(weight, 1e-30);
  return vec4<f32>(select(vec3<f32>(), mean - base, weight > 0), weight);
}
`,
    body: `${BLOCK}
  let at = (map * u.size + 2 * block.y) * u.elements + block.x / 2;
  let next = at + select(0, u.elements, below);
  let odd = (block.x & 1) == 1;${shares("beside", seamed)}${shares("near", bounded)}
  ${seamed ? "let bends = smoothBlock(map * area, block, u.half);" : "let bends = array<vec4<f32>, 4>();"}
  ${bounded ? "let likely = smoothBlock(u.count + map * area, block, u.half);" : "let likely = bends;"}
  var sum = vec4<f32>();${
      TEXELS.map(({ j, i, k }) => {
        // The value of a texel beyond the border is that of the texel in its place.
        const same = (name: string) => `${atBorder(name, k)}.xyz`;
        return `
  let one${k} = blend(
    row${j} + x${i}, ${same("bends")}, ${same("likely")}, ${share("beside", { j, i })}, ${share("near", { j, i })});
  known[row${j} + x${i}] = one${k};
  sum += inside[${k}] * one${k}.w * vec4<f32>(one${k}.xyz, 1);`;
      }).join("")
    }
  result[id] = blockMean(sum);`,
  });

/** WGSL of the weights of a block's two rows. */
const shares = (name: string, wanted: boolean) =>
  wanted
    ? `
  let ${name}0 = select(${name}[at].xy, ${name}[at].zw, odd);
  let ${name}1 = select(${name}[next].xy, ${name}[next].zw, odd);`
    : `
  let ${name}0 = vec2<f32>();
  let ${name}1 = vec2<f32>();`;

const share = (name: string, { j, i }: { j: 0 | 1; i: 0 | 1 }) =>
  i === 0 ? `${name}${j}.x` : `select(${name}${j}.x, ${name}${j}.y, right)`;

/** WGSL of a block's texel k, or of the one that takes its place beyond the border. */
function atBorder(block: string, k: 0 | 1 | 2 | 3): string {
  switch (k) {
    case 0:
      return `${block}[0]`;
    case 1:
      return `select(${block}[0], ${block}[1], right)`;
    case 2:
      return `select(${block}[0], ${block}[2], below)`;
    case 3:
      return `select(select(${block}[0], ${block}[1], right), select(${block}[2], ${block}[3], right), below)`;
  }
}

/** The complete texture: what is known, continued, on the template. */
export const finishCode = () =>
  program({
    result: "f32",
    inputs: [["known", VEC4], ["plain", VEC4], ["filled", VEC4]],
    uniforms: ["count", "size", "half", "templated"],
    functions: QUOTIENT + TEMPLATE + smoothBlock("smoothBlock", "filled") + /* wgsl */ `
fn put(at : i32, smoothed : vec4<f32>) {
  let own = known[at];
  let colour = own.w * own.xyz + (1 - own.w) * smoothed.xyz + templateAt(at);
  result[3 * at] = colour.x;
  result[3 * at + 1] = colour.y;
  result[3 * at + 2] = colour.z;
}
`,
    body: `${BLOCK}
  let smoothed = smoothBlock(map * area, block, u.half);${
      TEXELS.map(({ j, i, k }) => `
  put(row${j} + x${i}, ${atBorder("smoothed", k)});`).join("")
    }`,
  });

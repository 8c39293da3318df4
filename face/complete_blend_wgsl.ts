/**
 * The last programs behind complete_textures.ts: the two halves are matched, blended and continued. What they read is
 * described in complete_textures_wgsl.ts.
 */
import { program, QUOTIENT } from "@ftim/gpu/wgsl";
import { BLOCK_MEAN, ENLARGED_FROM, smoothBlock } from "@ftim/gpu/ops/push-pull";

const VEC4 = "vec4<f32>";

/** WGSL that reads the template. Where there is none, `plain` is one texel of 0. */
const TEMPLATE = /* wgsl */ `
fn templateAt(i : i32) -> vec3<f32> { return plain[i * u.templated].xyz; }
`;

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
 * if `bounded`. Beside it the second level of the same. `smoothed` is the filled second level of what `matchCode`
 * gives.
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

/**
 * What the shaders share that render on the device: where the samples of a pixel lie in the map, and which of them it
 * shows.
 *
 * A pixel that is the mean of many samples keeps no place: they are looked for again where they are needed. Few pixels
 * are, and nine places a pixel would be most of the memory.
 *
 * A software adapter computes both sides of every `if`, so there are selects, and an `if` only around what is stored.
 */
import { program } from "@ftim/gpu/wgsl";
import { walkProgram } from "@ftim/gpu/raster-wgsl";
import { SPREAD } from "./render_options.ts";

/** Samples along each side of the block that one invocation computes: a pixel's, or four pixels of one sample. */
export function blockOf(samples: number): number {
  return samples === 1 ? 2 : samples;
}

/** What the programs that look for samples share. Sample k of the block lies at `place<k>`, if `nearest<k>` < 3e38. */
export function seeking(samples: number) {
  const numbers = Array.from({ length: blockOf(samples) ** 2 }, (_, k) => k);
  return {
    block: blockOf(samples),
    state: numbers.map((k) => `var place${k} = vec2<f32>();`).join("\n  "),
    before: `let chart0 = charts[2 * t];
        let chart1 = inverse * chart0.zw;
        let chart2 = inverse * charts[2 * t + 1].xy;`,
    sample: (k: number) => `place${k} = select(place${k}, chart0.xy + e.y * chart1 + e.z * chart2, hit);`,
  };
}

/** The function `clamped`: a place, moved into the map. */
export const CLAMPED = `
fn clamped(place: vec2<f32>) -> vec2<f32> { return clamp(place, vec2<f32>(), vec2<f32>(f32(u.size) - 1.0)); }
`;

/** The samples of a pixel, the middle one first. */
function inOrder(samples: number): number[] {
  const order = Array.from({ length: samples ** 2 }, (_, k) => k);
  order.unshift(...order.splice((samples ** 2 - 1) / 2, 1));
  return order;
}

/** Statements that make of a pixel's samples its first place, its coverage, and whether it is the mean of all. */
export function summary(samples: number): string {
  const order = inOrder(samples);
  return `
  var first = vec2<f32>();
  var low = vec2<f32>(1e9);
  var high = vec2<f32>(-1e9);
  var found = 0.0;
  // The middle one comes last and so is the first, if it is there.
  ${
    order.toReversed().map((k) =>
      `{
    let place = clamped(place${k});
    let hit = nearest${k} < 3e38;
    first = select(first, place, hit);
    low = select(low, min(low, place), hit);
    high = select(high, max(high, place), hit);
    found += select(0.0, 1.0, hit);
  }`
    ).join("\n  ")
  }
  let covered = select(select(0.0, 1.0, nearest${order[0]} < 3e38), found / ${samples ** 2}.0, u.soft != 0);
  let minified = any(high - low > vec2<f32>(${SPREAD}.0));
  let many = found > 1.0 && (covered < 1.0 || minified);`;
}

/** Bilinear taps of a place, each at the nearest texel of the chart. */
export const BILINEAR = `
struct Bilinear { texels: vec4<i32>, weights: vec4<f32> }
fn bilinear(place: vec2<f32>) -> Bilinear {
  let low = vec2<i32>(place);
  let f = place - vec2<f32>(low);
  let high = min(low + 1, vec2<i32>(u.size - 1));
  let near = 1.0 - f;
  let top = low.y * u.size;
  let bottom = high.y * u.size;
  return Bilinear(
    vec4<i32>(chart[top + low.x], chart[top + high.x], chart[bottom + low.x], chart[bottom + high.x]),
    vec4<f32>(near.x * near.y, f.x * near.y, near.x * f.y, f.x * f.y));
}`;

/** A program for each place that a pixel shows. */
export interface EachPlace {
  readonly result: string;
  readonly inputs?: readonly (readonly [string, string])[];
  readonly outputs?: readonly (readonly [string, string])[];
  /** Statements before; `pixel` is the pixel's index among all. */
  readonly before: string;
  /** Statements for each place `at` that a pixel shows, with its share `share`. */
  readonly one: string;
  readonly after?: string;
}

/** A program of one invocation a pixel. */
export function eachPlace(
  samples: number,
  { result, inputs = [], outputs = [], before, one, after = "" }: EachPlace,
): string {
  const own = [["places", "vec2<f32>"], ["coverage", "f32"], ["chart", "i32"], ...inputs] as const;
  if (samples === 1) {
    return program({
      result,
      inputs: own,
      outputs,
      uniforms: ["count", "firstMesh", "left", "top", "across", "down", "size", "width", "height"],
      functions: BILINEAR,
      body: `
  if (id >= u.count) { return; }
  let mesh = u.firstMesh + id / (u.across * u.down);
  let pixel = (mesh * u.height + u.top + id / u.across % u.down) * u.width + u.left + id % u.across;
  let covered = coverage[pixel];
  ${before}
  if (covered > 0.0) {
    let share = covered;
    let at = places[pixel];
    ${one}
  }
  ${after}`,
    });
  }
  const seek = seeking(samples);
  return walkProgram({
    result,
    inputs: [["charts", "vec4<f32>"], ...own],
    outputs,
    uniforms: ["size", "width", "height"],
    functions: CLAMPED + BILINEAR,
    walk: {
      ...seek,
      state: `
  let spot = corner / ${samples};
  if (spot.x >= u.width || spot.y >= u.height) { return; }
  let pixel = (mesh * u.height + spot.y) * u.width + spot.x;
  let covered = coverage[pixel];
  let single = places[pixel];
  ${seek.state}`,
      where: "single.x < 0.0 && covered > 0.0",
    },
    after: `
  ${before}
  ${eachOf(samples, { many: "single.x < 0.0", one })}
  ${after}`,
  });
}

/** Statements for each place of a pixel, which is `single` unless it has many. */
export function eachOf(samples: number, { many, one }: { many: string; one: string }): string {
  const order = inOrder(samples);
  return `
  // One bit a sample that is looked at.
  var left = select(0u, 1u, covered > 0.0);
  if (${many}) {
    left = select(0u, ${order.map((k, i) => `select(0u, ${1 << i}u, nearest${k} < 3e38)`).join(" | ")}, covered > 0.0);
  }
  let share = covered / max(1.0, f32(countOneBits(left)));
  while (left != 0u) {
    let next = firstTrailingBit(left);
    left &= left - 1u;
    var at = select(single, place${order[0]}, ${many});
    ${order.slice(1).map((k, i) => `at = select(at, place${k}, next == ${i + 1}u);`).join(" ")}
    at = clamped(at);
    ${one}
  }`;
}

/** Statements for each channel. */
export function eachChannel(channels: number, line: (c: number) => string): string {
  return Array.from({ length: channels }, (_, c) => line(c)).join(" ");
}

/**
 * The shaders behind render_device.ts and render_transpose.ts.
 *
 * places  where in the map the surface at each pixel lies, and how much of the pixel it covers
 * render  a texture at the taps of each pixel
 * link    the taps of each texel as a linked list
 * gather  the sum over each list, in the order of the pixels
 *
 * A pixel that is the mean of many samples keeps no place: they are looked for again where they are needed. Few pixels
 * are, and nine places a pixel would be most of the memory.
 *
 * A software adapter computes both sides of every `if`, so there are selects instead.
 */
import { program } from "@ftim/gpu/wgsl";
import { walkProgram } from "@ftim/gpu/raster-wgsl";

/** Texels between the samples of a pixel from which on its texture counts as minified. */
const SPREAD = 2;

/** Samples along each side of the block that one invocation computes: a pixel's, or four pixels of one sample. */
export function blockOf(samples: number): number {
  return samples === 1 ? 2 : samples;
}

/** What the programs that look for samples share. Sample k of the block lies at `place<k>`, if `nearest<k>` < 3e38. */
function seeking(samples: number) {
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

const CLAMPED = `
fn clamped(place: vec2<f32>) -> vec2<f32> { return clamp(place, vec2<f32>(), vec2<f32>(f32(u.size) - 1.0)); }
`;

/** The samples of a pixel, the middle one first. */
function inOrder(samples: number): number[] {
  const order = Array.from({ length: samples ** 2 }, (_, k) => k);
  order.unshift(...order.splice((samples ** 2 - 1) / 2, 1));
  return order;
}

/** Writes the place of each pixel, x < 0 where it is the mean of many, and the coverage, both 0 before. */
export function placesCode(samples: number): string {
  return walkProgram({
    result: "vec2<f32>",
    inputs: [["charts", "vec4<f32>"]],
    outputs: [["coverage", "f32"]],
    uniforms: ["size", "width", "height", "soft"],
    functions: CLAMPED,
    walk: seeking(samples),
    after: samples === 1
      ? [0, 1, 2, 3].map((k) =>
        `{
    let at = corner + vec2<i32>(${k % 2}, ${k >> 1});
    if (nearest${k} < 3e38 && at.x < u.width && at.y < u.height) {
      let to = (mesh * u.height + at.y) * u.width + at.x;
      result[to] = clamped(place${k});
      coverage[to] = 1.0;
    }
  }`
      ).join("\n  ")
      : `
  let at = corner / ${samples};
  if (at.x >= u.width || at.y >= u.height) { return; }
  ${summary(samples)}
  if (covered > 0.0) {
    let to = (mesh * u.height + at.y) * u.width + at.x;
    result[to] = select(first, vec2<f32>(-1.0), many);
    coverage[to] = covered;
  }`,
  });
}

/** Statements that make of a pixel's samples its first place, its coverage, and whether it is the mean of all. */
function summary(samples: number): string {
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
const BILINEAR = `
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

interface EachPlace {
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
function eachPlace(samples: number, { result, inputs = [], outputs = [], before, one, after = "" }: EachPlace): string {
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
function eachOf(samples: number, { many, one }: { many: string; one: string }): string {
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

function eachChannel(channels: number, line: (c: number) => string): string {
  return Array.from({ length: channels }, (_, c) => line(c)).join(" ");
}

/** Statements that sum a texture, [B, S, S, C], over the places of a pixel, to `sum<c>`. */
function textured(channels: number, value = (at: string) => `textures[${at}]`): Pick<EachPlace, "before" | "one"> {
  const tap = (axis: string) =>
    `{
      let weight = share * taps.weights.${axis};
      let texel = ${channels} * (base + taps.texels.${axis});
      ${eachChannel(channels, (c) => `sum${c} += weight * ${value(`texel + ${c}`)};`)}
    }`;
  return {
    before: `let base = mesh * u.size * u.size;
  ${eachChannel(channels, (c) => `var sum${c} = 0.0;`)}`,
    one: `let taps = bilinear(at);
    ${["x", "y", "z", "w"].map(tap).join(" ")}`,
  };
}

/** A texture of each face, [B, S, S, C], rendered, [B, H, W, C]; 0 before. */
export function renderCode(samples: number, channels: number): string {
  return eachPlace(samples, {
    result: "f32",
    inputs: [["textures", "f32"]],
    ...textured(channels),
    after: `if (covered > 0.0) { ${eachChannel(channels, (c) => `result[${channels} * pixel + ${c}] = sum${c};`)} }`,
  });
}

/**
 * The same and the coverage at once, without an operator: each pixel's samples are looked for once. The faces are drawn
 * over what the result holds; a texel's values are cut off at `low` and `high`.
 */
export function picturesCode(samples: number, channels: number): string {
  const { before, one } = textured(channels, (at) => `clamp(textures[${at}], u.low, u.high)`);
  return walkProgram({
    result: "f32",
    inputs: [["charts", "vec4<f32>"], ["chart", "i32"], ["textures", "f32"]],
    outputs: [["coverage", "f32"]],
    uniforms: ["size", "width", "height", "soft", "low:f32", "high:f32"],
    functions: CLAMPED + BILINEAR,
    walk: seeking(samples),
    after: `
  let spot = corner / ${samples};
  if (spot.x >= u.width || spot.y >= u.height) { return; }
  let pixel = (mesh * u.height + spot.y) * u.width + spot.x;
  ${summary(samples)}
  let single = first;
  ${before}
  ${eachOf(samples, { many: "many", one })}
  if (covered > 0.0) {
    coverage[pixel] = covered;
    ${
      eachChannel(channels, (c) =>
        `{
      let to = ${channels} * pixel + ${c};
      result[to] = sum${c} + (1.0 - covered) * result[to];
    }`)
    }
  }`,
  });
}

/**
 * Links the taps of each texel of some of the faces, in any order. Tap k has a fixed place, and is called k + 1; `taps`
 * has the name of the texel's next one, or 0, and its weight in bits. The result names each texel's first; 0 before.
 */
export function linkCode(samples: number): string {
  const axes = ["x", "y", "z", "w"];
  return eachPlace(samples, {
    result: "atomic<u32>",
    outputs: [["taps", "vec2<u32>"]],
    before: `let base = (mesh - u.firstMesh) * u.size * u.size;
  var tap = ${4 * samples ** 2} * (pixel - u.firstMesh * u.width * u.height);`,
    one: `let found = bilinear(at);
    ${
      axes.map((axis, k) =>
        `if (found.weights.${axis} > 0.0) {
      let before = atomicExchange(&result[base + found.texels.${axis}], u32(tap + ${k + 1}));
      taps[tap + ${k}] = vec2<u32>(before, bitcast<u32>(share * found.weights.${axis}));
    }`
      ).join(" ")
    }
    tap += 4;`,
  });
}

/**
 * What arrives at the pixels, [B, H, W, C], summed over each texel's taps. They are few, so they are linked here in the
 * order of the pixels, unless `sorted` says that they are already.
 */
export function gatherCode(samples: number, channels: number): string {
  return program({
    result: "vec2<u32>",
    inputs: [["pictures", "f32"]],
    outputs: [["firsts", "u32"], ["textures", "f32"]],
    uniforms: ["count", "firstTexel", "firstPixel", "sorted"],
    body: `
  if (id >= u.count) { return; }
  var first = firsts[id];
  var left = select(first, 0u, u.sorted != 0);
  first = select(0u, first, u.sorted != 0);
  while (left != 0u) {
    let tap = left;
    left = result[tap - 1u].x;
    var next = first;
    if (first == 0u || tap < first) { first = tap; } else {
      var before = first;
      loop {
        next = result[before - 1u].x;
        if (next == 0u || tap < next) { break; }
        before = next;
      }
      result[before - 1u].x = tap;
    }
    result[tap - 1u].x = next;
  }
  firsts[id] = first;
  ${eachChannel(channels, (c) => `var sum${c} = 0.0;`)}
  while (first != 0u) {
    let tap = result[first - 1u];
    let pixel = ${channels}u * (u32(u.firstPixel) + (first - 1u) / ${4 * samples ** 2}u);
    let weight = bitcast<f32>(tap.y);
    ${eachChannel(channels, (c) => `sum${c} += weight * pictures[pixel + ${c}u];`)}
    first = tap.x;
  }
  ${eachChannel(channels, (c) => `textures[${channels} * (u.firstTexel + id) + ${c}] = sum${c};`)}`,
  });
}

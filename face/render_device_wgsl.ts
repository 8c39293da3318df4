/**
 * The shaders behind render_device.ts.
 *
 * places  where in the map the surface at each pixel lies, and how much of the pixel it covers
 * render  a texture at the taps of each pixel
 * taps    the taps themselves, of which the gradient is made
 *
 * A pixel that is the mean of many samples keeps no place: they are looked for again where they are needed. Few pixels
 * are, and nine places a pixel would be most of the memory.
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
function seeking(samples: number, where?: string) {
  const numbers = Array.from({ length: blockOf(samples) ** 2 }, (_, k) => k);
  return {
    block: blockOf(samples),
    state: numbers.map((k) => `var place${k} = vec2<f32>();`).join("\n  "),
    ...(where === undefined ? {} : { where }),
    before: "let origin = charts[2 * t]; let other = charts[2 * t + 1].xy;",
    sample: (k: number) => `place${k} = select(place${k}, clamped(origin.xy + w.y * origin.zw + w.z * other), hit);`,
  };
}

const CLAMPED = `
fn clamped(place: vec2<f32>) -> vec2<f32> { return clamp(place, vec2<f32>(), vec2<f32>(f32(u.size) - 1.0)); }
`;

/** Of the samples of a pixel, the middle one first: whichever come first are its first. */
function inOrder(samples: number): number[] {
  const order = Array.from({ length: samples ** 2 }, (_, k) => k);
  order.unshift(...order.splice((samples ** 2 - 1) / 2, 1));
  return order;
}

/** Writes the place of each pixel, x < 0 where it is the mean of many, and the coverage. */
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
    if (at.x < u.width && at.y < u.height) {
      let to = (mesh * u.height + at.y) * u.width + at.x;
      result[to] = place${k};
      coverage[to] = select(0.0, 1.0, nearest${k} < 3e38);
    }
  }`
      ).join("\n  ")
      : `
  let at = corner / ${samples};
  if (at.x >= u.width || at.y >= u.height) { return; }
  var first = vec2<f32>();
  var low = vec2<f32>(1e9);
  var high = vec2<f32>(-1e9);
  var found = 0;
  ${
        inOrder(samples).map((k) =>
          `if (nearest${k} < 3e38) {
    first = select(first, place${k}, found == 0);
    low = min(low, place${k});
    high = max(high, place${k});
    found++;
  }`
        ).join("\n  ")
      }
  let whole = select(0.0, 1.0, nearest${inOrder(samples)[0]} < 3e38);
  let covered = select(whole, f32(found) / ${samples ** 2}.0, u.soft != 0);
  let minified = any(high - low > vec2<f32>(${SPREAD}.0));
  let to = (mesh * u.height + at.y) * u.width + at.x;
  result[to] = select(first, vec2<f32>(-1.0), found > 1 && (covered < 1.0 || minified));
  coverage[to] = covered;`,
  });
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

const INPUTS = [["places", "vec2<f32>"], ["coverage", "f32"], ["chart", "i32"]] as const;

/**
 * A program of one invocation a pixel. `one` has the statements of a place `at` with its share `share`; `n` counts them.
 */
function eachPlace(
  samples: number,
  { result, inputs, outputs = [], functions, before, one, after }: {
    result: string;
    inputs: readonly (readonly [string, string])[];
    outputs?: readonly (readonly [string, string])[];
    functions: string;
    /** Statements before, and after; `pixel` is the pixel's index. */
    before: string;
    one: string;
    after: string;
  },
): string {
  const shared = { result, inputs: [...INPUTS, ...inputs], outputs };
  if (samples === 1) {
    return program({
      ...shared,
      uniforms: ["count", "firstMesh", "size", "width", "height"],
      functions: BILINEAR + functions,
      body: `
  if (id >= u.count) { return; }
  let mesh = u.firstMesh + id / (u.width * u.height);
  let pixel = u.firstMesh * u.width * u.height + id;
  let share = coverage[pixel];
  let n = 0;
  ${before}
  if (share > 0.0) {
    let at = places[pixel];
    ${one}
  }
  ${after}`,
    });
  }
  const hit = "pixel >= 0 && places[pixel].x < 0.0 && coverage[pixel] > 0.0";
  const seek = seeking(samples, hit);
  return walkProgram({
    ...shared,
    inputs: [["charts", "vec4<f32>"], ...shared.inputs],
    uniforms: ["size", "width", "height"],
    functions: CLAMPED + BILINEAR + functions,
    walk: {
      ...seek,
      state: `${seek.state}
  let spot = corner / ${samples};
  let inside = spot.x < u.width && spot.y < u.height;
  let pixel = select(-1, (mesh * u.height + spot.y) * u.width + spot.x, inside);`,
    },
    after: `
  if (pixel < 0) { return; }
  let covered = coverage[pixel];
  ${before}
  if (covered > 0.0) {
    var found: array<vec2<f32>, ${samples ** 2}>;
    var count = 0;
    found[0] = places[pixel];
    if (found[0].x >= 0.0) { count = 1; } else {
      ${inOrder(samples).map((k) => `if (nearest${k} < 3e38) { found[count] = place${k}; count++; }`).join("\n      ")}
    }
    let share = covered / f32(count);
    for (var n = 0; n < count; n++) {
      let at = found[n];
      ${one}
    }
  }
  ${after}`,
  });
}

/** A texture of each face, [B, S, S, C], rendered, [B, H, W, C]. */
export function renderCode(samples: number, channels: number): string {
  const each = (line: (c: number) => string) => Array.from({ length: channels }, (_, c) => line(c)).join(" ");
  const tap = (axis: string) =>
    `{
      let weight = share * taps.weights.${axis};
      let texel = ${channels} * (first + taps.texels.${axis});
      ${each((c) => `sum${c} += weight * textures[texel + ${c}];`)}
    }`;
  return eachPlace(samples, {
    result: "f32",
    inputs: [["textures", "f32"]],
    functions: "",
    before: `let first = mesh * u.size * u.size;
  ${each((c) => `var sum${c} = 0.0;`)}`,
    one: `let taps = bilinear(at);
    ${["x", "y", "z", "w"].map(tap).join(" ")}`,
    after: each((c) => `result[${channels} * pixel + ${c}] = sum${c};`),
  });
}

/**
 * The taps of each pixel of some of the faces, four a sample: columns, counted from the first of these faces' texels,
 * and weights.
 */
export function tapsCode(samples: number): string {
  return eachPlace(samples, {
    result: "vec4<i32>",
    inputs: [],
    outputs: [["weights", "vec4<f32>"]],
    functions: "",
    before: `let first = (mesh - u.firstMesh) * u.size * u.size;
  let to = ${samples ** 2} * (pixel - u.firstMesh * u.width * u.height);
  for (var k = 0; k < ${samples ** 2}; k++) { result[to + k] = vec4<i32>(-1); }`,
    one: `let taps = bilinear(at);
    result[to + n] = select(vec4<i32>(-1), first + taps.texels, taps.weights > vec4<f32>());
    weights[to + n] = share * taps.weights;`,
    after: "",
  });
}

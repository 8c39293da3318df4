/**
 * The shaders behind render_device.ts and render_pictures.ts.
 *
 * places    where in the map the surface at each pixel lies, and how much of the pixel it covers
 * render    a texture at the places of each pixel
 * pictures  both at once
 */
import { walkProgram } from "@ftim/gpu/raster-wgsl";
import { BILINEAR, CLAMPED, eachChannel, eachOf, type EachPlace, eachPlace, seeking, summary } from "./samples_wgsl.ts";

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

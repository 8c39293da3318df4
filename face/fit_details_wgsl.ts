/**
 * The shaders behind fit_details.ts before and after the conjugate gradients: the linearised scene, and the normals
 * that a displacement makes. Maps of the solution lie in rows of a whole number of elements of four texels; what fills
 * a row up is 0.
 */
import { program } from "@ftim/gpu/wgsl";
import { STEEPEST, STEP } from "./detail_settings.ts";
import { LIGHT_BANDS, LIGHT_FACTORS } from "./light.ts";
import { BASIS, readLight } from "./light_wgsl.ts";

const bands = [...Array(LIGHT_BANDS).keys()];
const scaled = (k: number) => `${LIGHT_FACTORS[k]} * g${k}`;

const VECTORS = `
/** The unit vector along a step over the surface, orthogonal to the normal. */
fn tangent(normal : vec3<f32>, step : vec3<f32>) -> vec3<f32> {
  // Crop pixels have y down and z away; normals have y up and z to the viewer.
  let d = vec3<f32>(step.x, -step.y, -step.z);
  let t = d - dot(d, normal) * normal;
  let norm = length(t);
  return select(vec3<f32>(), t / norm, norm > 0.0);
}
fn stepBetween(first : i32, second : i32) -> vec3<f32> { return places[second].xyz - places[first].xyz; }
fn across(normal : vec3<f32>, at : i32, column : i32) -> vec3<f32> {
  return tangent(normal, stepBetween(at - select(0, 1, column > 0), at + select(0, 1, column + 1 < u.size)));
}
fn down(normal : vec3<f32>, at : i32, row : i32) -> vec3<f32> {
  return tangent(normal, stepBetween(at - select(0, u.size, row > 0), at + select(0, u.size, row + 1 < u.size)));
}`;

/**
 * The linearised scene: by how much the grey of a texel grows with the slope of the displacement along u (the result)
 * and along v, and what is to be explained; each times the root of the texel's weight. There is no slope across the
 * border. An invocation takes some texels of one face.
 */
export function sceneCode(): string {
  return program({
    result: "f32",
    inputs: [
      ["places", "vec4<f32>"],
      ["normals", "vec4<f32>"],
      ["lights", "f32"],
      ["albedo", "f32"],
      ["texture", "f32"],
      ["visibility", "f32"],
    ],
    outputs: [["slopesDown", "f32"], ["residuals", "f32"]],
    uniforms: ["total", "size", "width", "slots"],
    functions: `${VECTORS}
fn grey(v : vec3<f32>) -> f32 { return (v.x + v.y + v.z) * (1.0 / 3.0); }
/**
 * How much the grey changes with a slope along t: the difference that a small step against t makes to the basis, by
 * the step, in a form in which nothing cancels in f32. Low and high are the light's bands 1 to 8 with their factors.
 */
fn slopeAlong(t : vec3<f32>, raw : vec3<f32>, low : vec4<f32>, high : vec4<f32>) -> f32 {
  let norm = length(raw);
  let n = raw / norm;
  let moved = raw - ${STEP} * t;
  let length1 = length(moved);
  let v = moved / length1;
  let d = raw * ((2.0 * dot(raw, t) - ${STEP} * dot(t, t)) / (norm * length1 * (norm + length1))) - t / length1;
  return dot(low, vec4<f32>(d, d.x * v.y + n.x * d.y)) +
    dot(high, vec4<f32>(
      d.x * v.z + n.x * d.z, d.y * v.z + n.y * d.z, (v.x + n.x) * d.x - (v.y + n.y) * d.y, 3.0 * (v.z + n.z) * d.z));
}`,
    body: `
  if (id >= u.total) { return; }
  let face = id / u.slots;
  ${readLight("lights", `${3 * LIGHT_BANDS} * face`)}
  for (var cell = id % u.slots; cell < u.size * u.width; cell += u.slots) {
    let row = cell / u.width;
    let column = cell % u.width;
    let inside = column < u.size;
    let at = (face * u.size + row) * u.size + min(column, u.size - 1);
    let surface = normals[at];
    let own = vec3<f32>(albedo[3 * at], albedo[3 * at + 1], albedo[3 * at + 2]);
    ${bands.map((k) => `let g${k} = grey(own * l${k});`).join("\n    ")}
    let raw = surface.xyz;
    let normal = normalize(raw);
    ${BASIS}
    let base = ${bands.map((k) => `h${k} * g${k}`).join(" + ")};
    let residual = grey(vec3<f32>(texture[3 * at], texture[3 * at + 1], texture[3 * at + 2])) - base;
    let low = vec4<f32>(${[1, 2, 3, 4].map(scaled).join(", ")});
    let high = vec4<f32>(${[5, 6, 7, 8].map(scaled).join(", ")});
    let weight = visibility[at];
    // What is not finite was not seen.
    let seen = inside && surface.w != 0.0 && weight > 0.0 && abs(residual) < 1e30;
    let root = sqrt(max(weight, 0.0));
    let to = face * u.size * u.width + cell;
    result[to] = select(0.0, root * slopeAlong(across(raw, at, column), raw, low, high), seen && column + 1 < u.size);
    slopesDown[to] = select(0.0, root * slopeAlong(down(raw, at, row), raw, low, high), seen && row + 1 < u.size);
    residuals[to] = select(0.0, root * residual, seen);
  }`,
  });
}

/** The right side: the transposed slopes of what is to be explained; four texels of a row at once. */
export function rightCode(): string {
  const element = "vec4<f32>";
  return program({
    result: element,
    inputs: [["slopes", element], ["slopesDown", element], ["residuals", element]],
    uniforms: ["total", "size", "width"],
    body: `
  if (id >= u.total) { return; }
  let column = id % u.width;
  let row = id / u.width % u.size;
  let across = slopes[id] * residuals[id];
  let down = slopesDown[id] * residuals[id];
  let before = max(id - 1, 0);
  let above = max(id - u.width, 0);
  let left = select(0.0, slopes[before].w * residuals[before].w, column > 0);
  let upper = select(${element}(), slopesDown[above] * residuals[above], row > 0);
  result[id] = (${element}(left, across.xyz) - across) + (upper - down);`,
  });
}

/**
 * The normals that the displacement makes, and the displacement without what fills its rows up. The last step of the
 * conjugate gradients is still to be taken.
 */
export function normalsCode(): string {
  return program({
    result: "f32",
    inputs: [
      ["places", "vec4<f32>"],
      ["normals", "vec4<f32>"],
      ["solution", "f32"],
      ["direction", "f32"],
      ["states", "vec4<f32>"],
    ],
    outputs: [["displacement", "f32"]],
    uniforms: ["total", "size", "width"],
    functions: `${VECTORS}
fn displaced(cell : i32, step : f32) -> f32 { return fma(step, direction[cell], solution[cell]); }`,
    body: `
  if (id >= u.total) { return; }
  let texels = u.size * u.size;
  let face = id / texels;
  let texel = id % texels;
  let column = texel % u.size;
  let row = texel / u.size;
  let cell = (face * u.size + row) * u.width + column;
  let step = states[face].z;
  let own = displaced(cell, step);
  displacement[id] = own;
  let surface = normals[id];
  var normal = surface.xyz;
  if (surface.w != 0.0) {
    let p = select(0.0, displaced(cell + 1, step) - own, column + 1 < u.size);
    let q = select(0.0, displaced(cell + u.width, step) - own, row + 1 < u.size);
    let shrink = min(1.0, ${STEEPEST} / max(1e-9, length(vec2<f32>(p, q))));
    let bent = normal - shrink * (p * across(normal, id, column) + q * down(normal, id, row));
    let norm = length(bent);
    normal = select(normal, bent / norm, norm > 0.0);
  }
  result[3 * id] = normal.x;
  result[3 * id + 1] = normal.y;
  result[3 * id + 2] = normal.z;`,
  });
}

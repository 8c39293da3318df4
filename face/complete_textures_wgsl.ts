/**
 * The first programs behind complete_textures.ts: what was seen, and the gains of the mirrored half. Each output has
 * one invocation and a fixed order of work, so a result repeats bit for bit.
 *
 * Weights are packed four in a row's element (see box_mean.ts). Colours are four floats a texel: `seen` holds the
 * texture and how far the texel counts as seen, `plain` the template.
 */
import { program, QUOTIENT } from "@ftim/gpu/wgsl";
import { ENLARGED_FROM } from "@ftim/gpu/ops/push-pull";

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

/**
 * The shaders behind unwrap.ts. Each output has one invocation and a fixed order of work, so a result repeats bit for
 * bit.
 *
 * depth    one invocation a triangle, moved as `frameOf` says: the nearest at each pixel centre, by an atomic maximum,
 *          which knows no order
 * normals  one invocation a vertex: the area-weighted sum over the triangles around it
 * rows, columns  a summed-area table of the depth pixels that the mesh covers
 * texels   one invocation a texel of the chart: where it lies in the image, its colour there, and how well it was seen
 * shrink   the minimum over a square of texels, for four by four texels at once
 *
 * The y of a dispatch is the mesh. What is read at scattered places, and what is read of the mesh, lies in textures, a
 * row of 1024 texels after the other: on a software adapter a texel of four floats is fetched faster than one element
 * of a buffer.
 */
import { BEYOND } from "./unwrap_options.ts";

/**
 * Three texels per mesh: left, top and scale of its frame, nearest z, 1 / range of z, left, top, right and bottom of
 * the bounds; three are not used.
 */
export const MESH_FLOATS = 12;

/** Texels in a row of a texture that is read by a flat index. */
export const ROW = 1024;

const HEADER = /* wgsl */ `
struct Options {
  size: u32, side: u32, vertices: u32, meshes: u32,
  width: u32, height: u32, radius: i32, erode: i32,
  facing: vec2f, outlined: u32, inside: u32, triangles: u32,
}
@group(0) @binding(0) var<uniform> options: Options;
fn place(i: u32) -> vec2u { return vec2u(i & ${ROW - 1}, i / ${ROW}); }
`;

/** The meshes and how one is read. */
const MESHES = /* wgsl */ `
struct Mesh { left: f32, top: f32, scale: f32, near: f32, inverseRange: f32, low: vec2f, high: vec2f }
@group(0) @binding(1) var meshes: texture_2d<f32>;
fn meshAt(i: u32) -> Mesh {
  let a = textureLoad(meshes, vec2u(0, i), 0);
  let b = textureLoad(meshes, vec2u(1, i), 0);
  let c = textureLoad(meshes, vec2u(2, i), 0);
  return Mesh(a.x, a.y, a.z, a.w, b.x, b.yz, vec2f(b.w, c.x));
}
`;

/**
 * Nearness: 1 at the nearest z of the mesh, falling to more than 0 at the farthest; 0 where there is no mesh. f32 in
 * bits, which for numbers from 0 on have the same order. (The graphics pipeline takes five times as long on a software
 * adapter, where setting up a triangle costs more than its few pixels.) Bindings: 0 options, 1 meshes, 2 positions, 3
 * triangles, 4 nearness, all 0.
 */
export const DEPTH = HEADER + MESHES + /* wgsl */ `
@group(0) @binding(2) var positions: texture_2d<f32>;
@group(0) @binding(3) var triangles: texture_2d<u32>;
@group(0) @binding(4) var<storage, read_write> nearness: array<atomic<u32>>;
fn cross2(a: vec2f, b: vec2f) -> f32 { return a.x * b.y - a.y * b.x; }
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= options.triangles) { return; }
  let m = meshAt(id.y);
  let first = id.y * options.vertices;
  let corner = first + textureLoad(triangles, place(id.x), 0).xyz;
  let p = textureLoad(positions, place(corner.x), 0).xyz;
  let q = textureLoad(positions, place(corner.y), 0).xyz;
  let r = textureLoad(positions, place(corner.z), 0).xyz;
  let origin = vec2f(m.left, m.top);
  let a = (p.xy - origin) * m.scale;
  let b = (q.xy - origin) * m.scale;
  let c = (r.xy - origin) * m.scale;
  let near = 1 - (vec3f(p.z, q.z, r.z) - m.near) * m.inverseRange;
  let area = cross2(b - a, c - a);
  if (area == 0) { return; }
  let inverse = 1 / area;
  let last = vec2i(i32(options.side) - 1);
  let low = max(vec2i(ceil(min(min(a, b), c) - 0.5)), vec2i());
  let high = min(vec2i(floor(max(max(a, b), c) - 0.5)), last);
  var at = low;
  let whole = low.x <= high.x;
  while (whole && at.y <= high.y) {
    let center = vec2f(at) + 0.5;
    let w = vec3f(
      cross2(b - center, c - center), cross2(c - center, a - center), cross2(a - center, b - center)) * inverse;
    if (all(w >= vec3f(-1e-6))) {
      let pixel = (id.y * options.side + u32(at.y)) * options.side + u32(at.x);
      atomicMax(&nearness[pixel], bitcast<u32>(max(dot(w, near), 1e-6)));
    }
    let next = at.x < high.x;
    at = select(vec2i(low.x, at.y + 1), vec2i(at.x + 1, at.y), next);
  }
}
`;

/** Vertex normals. Bindings: 0 options, 1 positions, 2 first element of each vertex's ring, 3 rings, 4 normals. */
export const NORMALS = HEADER + /* wgsl */ `
@group(0) @binding(1) var positions: texture_2d<f32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var rings: texture_2d<u32>;
@group(0) @binding(4) var normals: texture_storage_2d<rgba32float, write>;
fn position(i: u32) -> vec3f { return textureLoad(positions, place(i), 0).xyz; }
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= options.vertices) { return; }
  let first = id.y * options.vertices;
  let a = position(first + id.x);
  let end = offsets[id.x + 1];
  var sum = vec3f();
  for (var k = offsets[id.x]; k < end; k++) {
    let others = first + textureLoad(rings, place(k), 0);
    sum += cross(position(others.x) - a, position(others.y) - a);
    sum += cross(position(others.z) - a, position(others.w) - a);
  }
  // From y down and z away to y up and z to the viewer: a half turn about x, which a cross product follows.
  let norm = length(sum);
  textureStore(
    normals, place(first + id.x),
    select(vec4f(0, 0, 1, 0), vec4f(sum.x, -sum.y, -sum.z, 0) / norm, norm > 0));
}
`;

/**
 * Covered pixels of each depth row up to each pixel, modulo 2¹⁶, two in a u32: what is wanted is the count in a square,
 * which is less, so that differences are right although the sums overflow. Bindings: 0 options, 1 nearness, 2 counts.
 */
export const ROWS = HEADER + /* wgsl */ `
@group(0) @binding(1) var<storage, read> nearness: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> counts: array<vec2u>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= options.side) { return; }
  let width = options.side / 4;
  let first = (id.y * options.side + id.x) * width;
  var sum = 0u;
  for (var x = 0u; x < width; x++) {
    let one = select(vec4u(), vec4u(1), nearness[first + x] > vec4u());
    let two = one + vec4u(0, one.xyz);
    let four = sum + two + vec4u(0, 0, two.xy);
    counts[first + x] = four.xz + (four.yw << vec2u(16));
    sum = four.w;
  }
}
`;

/** The same summed down the columns, four at once, in place. Bindings: 0 options, 1 counts. */
export const COLUMNS = HEADER + /* wgsl */ `
@group(0) @binding(1) var<storage, read_write> counts: array<vec2u>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let width = options.side / 4;
  if (id.x >= width) { return; }
  var at = id.y * options.side * width + id.x;
  var low = vec2u();
  var high = vec2u();
  for (var y = 0u; y < options.side; y++) {
    let row = counts[at];
    low += row & vec2u(0xffff);
    high += row >> vec2u(16);
    counts[at] = (low & vec2u(0xffff)) + (high << vec2u(16));
    at += width;
  }
}
`;

/**
 * Bindings: 0 options, 1 meshes, 2 positions, 3 normals, 4 corners and 5 places of the texels inside (see `Chart`), 6
 * steps per triangle, 7 summed counts, 8 nearness, 9 images, 10 visibility before it shrinks, a layer a mesh, 11
 * colours.
 */
export const TEXELS = HEADER + MESHES + /* wgsl */ `
@group(0) @binding(2) var positions: texture_2d<f32>;
@group(0) @binding(3) var normals: texture_2d<f32>;
@group(0) @binding(4) var corners: texture_2d<u32>;
@group(0) @binding(5) var places: texture_2d<u32>;
@group(0) @binding(6) var steps: texture_2d<f32>;
@group(0) @binding(7) var<storage, read> counts: array<u32>;
@group(0) @binding(8) var<storage, read> nearness: array<f32>;
@group(0) @binding(9) var images: texture_2d_array<f32>;
@group(0) @binding(10) var visibility: texture_storage_2d_array<r32float, write>;
@group(0) @binding(11) var<storage, read_write> colors: array<f32>;
fn position(i: u32) -> vec3f { return textureLoad(positions, place(i), 0).xyz; }
fn normalOf(i: u32) -> vec3f { return textureLoad(normals, place(i), 0).xyz; }

fn bilinear(p: vec2f, layer: u32) -> vec3f {
  let last = vec2i(i32(options.width), i32(options.height)) - 1;
  let at = clamp(p - 0.5, vec2f(), vec2f(last));
  let low = vec2i(floor(at));
  let high = min(low + 1, last);
  let f = at - floor(at);
  let top = mix(textureLoad(images, low, layer, 0).rgb, textureLoad(images, vec2i(high.x, low.y), layer, 0).rgb, f.x);
  let bottom = mix(
    textureLoad(images, vec2i(low.x, high.y), layer, 0).rgb, textureLoad(images, high, layer, 0).rgb, f.x);
  return mix(top, bottom, f.y);
}
fn samplesFor(step: vec2f) -> u32 { return u32(clamp(ceil(length(step) - 0.01), 1.0, 8.0)); }

/** Covered pixels left of and above a corner, itself included, modulo 2¹⁶. */
fn countTo(mesh: u32, at: vec2i) -> u32 {
  let inside = vec2u(clamp(at, vec2i(), vec2i(i32(options.side) - 1)));
  let pixel = (mesh * options.side + inside.y) * options.side + inside.x;
  return select(0u, counts[pixel / 2] >> (16 * (pixel & 1)), all(at >= vec2i()));
}
/**
 * How much of the square around a depth pixel the mesh covers. No mesh reaches the border, so nothing lies beyond it.
 */
fn cover(mesh: u32, pixel: vec2i) -> f32 {
  let low = pixel - options.radius - 1;
  let high = pixel + options.radius;
  let window = f32(2 * options.radius + 1);
  let count = countTo(mesh, high) - countTo(mesh, vec2i(low.x, high.y)) - countTo(mesh, vec2i(high.x, low.y)) +
    countTo(mesh, low);
  return f32(count & 0xffff) / (window * window);
}

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= options.inside) { return; }
  let mesh = id.y;
  let at = place(id.x);
  let m = meshAt(mesh);
  let corner = textureLoad(corners, at, 0);
  let spec = textureLoad(places, at, 0);
  let w = bitcast<vec2f>(spec.xy);
  let wc = 1 - w.x - w.y;
  let first = mesh * options.vertices;
  let a = position(first + corner.x);
  let b = position(first + corner.y);
  let c = position(first + corner.z);
  let p = w.x * a + w.y * b + wc * c;
  var color = vec3f();
  var seen = 0.0;
  if (all(p.xy >= m.low) && all(p.xy <= m.high)) {
    let s = textureLoad(steps, place(corner.w), 0);
    let across = s.x * (b.xy - a.xy) + s.y * (c.xy - a.xy);
    let down = s.z * (b.xy - a.xy) + s.w * (c.xy - a.xy);
    let n = vec2u(samplesFor(across), samplesFor(down));
    for (var j = 0u; j < n.y; j++) {
      for (var i = 0u; i < n.x; i++) {
        let part = (vec2f(vec2u(i, j)) + 0.5) / vec2f(n) - 0.5;
        color += bilinear(p.xy + part.x * across + part.y * down, mesh);
      }
    }
    color /= f32(n.x * n.y);
    let normal = w.x * normalOf(first + corner.x) + w.y * normalOf(first + corner.y) + wc * normalOf(first + corner.z);
    let front = smoothstep(options.facing.x, options.facing.y, normal.z / max(length(normal), 1e-30));
    let spot = (p.xy - vec2f(m.left, m.top)) * m.scale;
    let near = vec2u(clamp(vec2i(floor(spot - 0.5)), vec2i(), vec2i(i32(options.side) - 2)));
    let pixel = (mesh * options.side + near.y) * options.side + near.x;
    let below = pixel + options.side;
    let farthest = min(min(nearness[pixel], nearness[pixel + 1]), min(nearness[below], nearness[below + 1]));
    // 1 % of the depth map's side, as a share of the range of z.
    let bias = 0.01 * f32(options.side) / m.scale * m.inverseRange;
    // A pixel without a mesh hides nothing.
    if (front > 0 && !(1 - (p.z - m.near) * m.inverseRange < farthest - bias && farthest > 0)) {
      seen = front;
      if (options.outlined != 0) { seen *= smoothstep(0.5, 1.0, cover(mesh, vec2i(spot))); }
    }
  }
  textureStore(visibility, spec.zw, mesh, vec4f(seen));
  let to = 3 * ((mesh * options.size + spec.w) * options.size + spec.z);
  colors[to] = color.x;
  colors[to + 1] = color.y;
  colors[to + 2] = color.z;
}
`;

/** Bindings: 0 options, 1 visibility, 2 the same, shrunk. */
export const SHRINK = HEADER + /* wgsl */ `
@group(0) @binding(1) var visibility: texture_2d_array<f32>;
@group(0) @binding(2) var<storage, read_write> shrunk: array<f32>;
@compute @workgroup_size(16, 4) fn main(@builtin(global_invocation_id) id: vec3u) {
  let size = i32(options.size);
  let x = 4 * i32(id.x);
  let y = 4 * i32(id.y);
  let mesh = id.z;
  if (x >= size || y >= size) { return; }
  let rows = vec4i(y, y + 1, y + 2, y + 3);
  // one a column, of four rows
  var least = array<vec4f, 4>(vec4f(1), vec4f(1), vec4f(1), vec4f(1));
  for (var u = max(0, x - options.erode); u <= min(size - 1, x + 3 + options.erode); u++) {
    var column = vec4f(1);
    for (var v = max(0, y - options.erode); v <= min(size - 1, y + 3 + options.erode); v++) {
      let value = textureLoad(visibility, vec2i(u, v), mesh, 0).r;
      column = min(column, select(vec4f(1), vec4f(value), abs(rows - v) <= vec4i(options.erode)));
    }
    for (var k = 0; k < 4; k++) {
      if (abs(x + k - u) <= options.erode) { least[k] = min(least[k], column); }
    }
  }
  for (var k = 0; k < min(4, size - x); k++) {
    for (var r = 0; r < min(4, size - y); r++) {
      let own = textureLoad(visibility, vec2i(x + k, y + r), mesh, 0).r;
      shrunk[(i32(mesh) * size + y + r) * size + x + k] = select(least[k][r], 0, own == ${BEYOND}.0);
    }
  }
}
`;

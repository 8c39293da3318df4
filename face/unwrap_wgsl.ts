// The shaders behind unwrap_batch.ts. Each output has one invocation and a fixed order of work, so a result repeats bit for bit.
//
// depth    draws the meshes, each moved to fill its layer (see `depthFrame`)
// normals  one invocation a vertex: the area-weighted sum over the triangles around it
// rows, columns  how many of a square's depth pixels the mesh covers, by running counts
// texels   one invocation a texel: where it lies in the image, its colour there, and how well it was seen
// shrink   the minimum over a square of texels
//
// What is read at scattered places lies in textures, a row of 1024 texels after the other: on a software adapter a texel is fetched faster than
// an element of a buffer.

/** Per mesh: left, top and scale of its frame, nearest z, 1 / range of z, left, top, right and bottom of the bounds; three are not used. */
export const MESH_FLOATS = 12;

const HEADER = /* wgsl */ `
struct Options {
  size: u32, side: u32, vertices: u32, meshes: u32,
  width: u32, height: u32, radius: i32, erode: i32,
  facing: vec2f, outlined: u32, triangles: u32,
}
struct Mesh { left: f32, top: f32, scale: f32, near: f32, inverseRange: f32, bounds0: f32, bounds1: f32, bounds2: f32, bounds3: f32, pad0: f32, pad1: f32, pad2: f32 }
@group(0) @binding(0) var<uniform> options: Options;
@group(0) @binding(1) var<storage, read> meshes: array<Mesh>;
fn place(i: u32) -> vec2u { return vec2u(i & 1023, i >> 10); }
`;

/** Texels in a row of a texture that is read by a flat index. */
export const ROW = 1024;

/** Depth of one mesh. Bindings: 2 positions; the instance is the mesh. */
export const DEPTH = HEADER + /* wgsl */ `
@group(0) @binding(2) var positions: texture_2d<f32>;
fn position(i: u32) -> vec3f { return textureLoad(positions, place(i), 0).xyz; }
@vertex fn corner(@builtin(vertex_index) vertex: u32, @builtin(instance_index) mesh: u32) -> @builtin(position) vec4f {
  let m = meshes[mesh];
  let p = position(mesh * options.vertices + vertex);
  let at = (p.xy - vec2f(m.left, m.top)) * m.scale / f32(options.side);
  return vec4f(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, clamp((p.z - m.near) * m.inverseRange, 0.0, 1.0), 1.0);
}
`;

/** Vertex normals. Bindings: 2 positions, 3 triangles, 4 first triangle of each vertex, 5 triangles around vertices, 6 normals. */
export const NORMALS = HEADER + /* wgsl */ `
@group(0) @binding(2) var positions: texture_2d<f32>;
fn position(i: u32) -> vec3f { return textureLoad(positions, place(i), 0).xyz; }
@group(0) @binding(3) var<storage, read> triangles: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> around: array<u32>;
@group(0) @binding(6) var normals: texture_storage_2d<rgba32float, write>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= options.vertices * options.meshes) { return; }
  let vertex = id.x % options.vertices;
  let first = id.x - vertex;
  var sum = vec3f();
  for (var k = offsets[vertex]; k < offsets[vertex + 1]; k++) {
    let t = 3 * around[k];
    let a = position(first + triangles[t]);
    sum += cross(position(first + triangles[t + 1]) - a, position(first + triangles[t + 2]) - a);
  }
  // From y down and z away to y up and z to the viewer: a half turn about x, which a cross product follows.
  let norm = length(sum);
  textureStore(normals, place(id.x), select(vec4f(0, 0, 1, 0), vec4f(sum.x, -sum.y, -sum.z, 0) / norm, norm > 0));
}
`;

const COUNTS = (load: string, stride: string, next: string) => /* wgsl */ `
@group(0) @binding(3) var<storage, read_write> counts: array<f32>;
fn at(mesh: u32, line: u32, i: i32) -> f32 {
  let k = u32(clamp(i, 0, i32(options.side) - 1));
  return ${load};
}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= options.side * options.meshes) { return; }
  let mesh = id.x / options.side;
  let line = id.x % options.side;
  var sum = 0.0;
  for (var i = -options.radius; i < options.radius; i++) { sum += at(mesh, line, i); }
  for (var i = 0; i < i32(options.side); i++) {
    sum += at(mesh, line, i + options.radius);
    counts[mesh * options.side * options.side + line * ${next} + u32(i) * ${stride}] = sum;
    sum -= at(mesh, line, i - options.radius);
  }
}
`;

/** Covered pixels of each depth row within the radius. Bindings: 2 depth, 3 counts. */
export const ROWS = HEADER +
  "@group(0) @binding(2) var depth: texture_2d_array<f32>;\n" +
  COUNTS("select(0.0, 1.0, textureLoad(depth, vec2u(k, line), mesh, 0).r < 1.0)", "1", "options.side");

/** The same along columns, of the rows' counts. Bindings: 2 counts of rows, 3 counts. */
export const COLUMNS = HEADER +
  "@group(0) @binding(2) var<storage, read> rows: array<f32>;\n" +
  COUNTS("rows[(mesh * options.side + k) * options.side + line]", "options.side", "1");

/** Bindings: 2 positions, 3 normals, 4 two layers a texel (its corners and triangle; their weights, and 1 inside the chart), 5 steps per triangle, 6 counts, 7 depth, 8 images, 9 colour and visibility. */
export const TEXELS = HEADER + /* wgsl */ `
@group(0) @binding(2) var positions: texture_2d<f32>;
fn position(i: u32) -> vec3f { return textureLoad(positions, place(i), 0).xyz; }
@group(0) @binding(3) var normals: texture_2d<f32>;
@group(0) @binding(4) var chart: texture_2d_array<u32>;
@group(0) @binding(5) var steps: texture_2d<f32>;
@group(0) @binding(6) var<storage, read> counts: array<f32>;
@group(0) @binding(7) var depth: texture_2d_array<f32>;
@group(0) @binding(8) var images: texture_2d_array<f32>;
@group(0) @binding(9) var result: texture_storage_2d<rgba32float, write>;
fn normalOf(i: u32) -> vec3f { return textureLoad(normals, place(i), 0).xyz; }

fn bilinear(p: vec2f, layer: u32) -> vec3f {
  let last = vec2i(i32(options.width), i32(options.height)) - 1;
  let at = clamp(p - 0.5, vec2f(), vec2f(last));
  let low = vec2i(floor(at));
  let high = min(low + 1, last);
  let f = at - floor(at);
  let top = mix(textureLoad(images, low, layer, 0).rgb, textureLoad(images, vec2i(high.x, low.y), layer, 0).rgb, f.x);
  let bottom = mix(textureLoad(images, vec2i(low.x, high.y), layer, 0).rgb, textureLoad(images, high, layer, 0).rgb, f.x);
  return mix(top, bottom, f.y);
}
fn samplesFor(step: vec2f) -> u32 { return u32(clamp(ceil(length(step) - 0.01), 1.0, 8.0)); }

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let texels = options.size * options.size;
  if (id.x >= texels * options.meshes) { return; }
  let texel = id.x % texels;
  let mesh = id.x / texels;
  let m = meshes[mesh];
  let at = vec2u(texel % options.size, texel / options.size);
  let w = bitcast<vec4f>(textureLoad(chart, at, 1, 0));
  var color = vec3f();
  var seen = 0.0;
  if (w.w > 0) {
    let corner = textureLoad(chart, at, 0, 0);
    let first = mesh * options.vertices;
    let a = position(first + corner.x);
    let b = position(first + corner.y);
    let c = position(first + corner.z);
    let p = w.x * a + w.y * b + w.z * c;
    if (p.x >= m.bounds0 && p.y >= m.bounds1 && p.x <= m.bounds2 && p.y <= m.bounds3) {
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
      let normal = w.x * normalOf(first + corner.x) + w.y * normalOf(first + corner.y) + w.z * normalOf(first + corner.z);
      let front = smoothstep(options.facing.x, options.facing.y, normal.z / max(length(normal), 1e-30));
      let spot = (p.xy - vec2f(m.left, m.top)) * m.scale;
      let near = vec2u(clamp(vec2i(floor(spot - 0.5)), vec2i(), vec2i(i32(options.side) - 2)));
      let farthest = max(
        max(textureLoad(depth, near, mesh, 0).r, textureLoad(depth, near + vec2u(1, 0), mesh, 0).r),
        max(textureLoad(depth, near + vec2u(0, 1), mesh, 0).r, textureLoad(depth, near + vec2u(1, 1), mesh, 0).r));
      // 1 % of the depth map's side, as a share of the range of z.
      let bias = 0.01 * f32(options.side) / m.scale * m.inverseRange;
      // A pixel without a mesh (depth 1) hides nothing.
      if (front > 0 && !((p.z - m.near) * m.inverseRange > farthest + bias && farthest < 1)) {
        let pixel = vec2u(clamp(vec2i(spot), vec2i(), vec2i(i32(options.side) - 1)));
        let count = counts[(mesh * options.side + pixel.y) * options.side + pixel.x];
        let window = f32(2 * options.radius + 1);
        seen = front * select(1.0, smoothstep(0.5, 1.0, count / (window * window)), options.outlined != 0);
      }
    }
  }
  textureStore(result, place(id.x), vec4f(color, seen));
}
`;

/** Bindings: 2 colour and visibility, 3 the same, the visibility shrunk. */
export const SHRINK = HEADER + /* wgsl */ `
@group(0) @binding(2) var texels: texture_2d<f32>;
@group(0) @binding(3) var<storage, read_write> shrunk: array<vec4f>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let size = i32(options.size);
  if (id.x >= options.size * options.size * options.meshes) { return; }
  let x = i32(id.x) % size;
  let y = i32(id.x) / size % size;
  let first = i32(id.x) / size / size * size * size;
  var texel = textureLoad(texels, place(id.x), 0);
  for (var v = max(0, y - options.erode); v <= min(size - 1, y + options.erode); v++) {
    for (var u = max(0, x - options.erode); u <= min(size - 1, x + options.erode); u++) {
      texel.a = min(texel.a, textureLoad(texels, place(u32(first + v * size + u)), 0).a);
    }
  }
  shrunk[id.x] = texel;
}
`;

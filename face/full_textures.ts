/**
 * Complete textures at full size, on the device. A network completes a texture at a small size, to which the photograph
 * had to be reduced; the photograph's own pixels show more. So the small texture is enlarged, and on it goes what the
 * pixels show beyond the small size: their difference from the enlarged small unwrapping of the same photograph, as far
 * as a texel was seen. The two agree in all that is coarser, so that a difference that fades out leaves no seam. It is
 * a Laplacian pyramid of two levels (Burt and Adelson 1983, "A multiresolution spline with application to image
 * mosaics"). Of a face that is small in its photograph the difference is nearly nothing, and no detail is invented.
 *
 * `fullTextureCpu` is the reference; values agree to f32 rounding.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { rasterise } from "@ftim/gpu/raster";
import { clearedTensor, program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import { CUBIC, cubicRead } from "./cubic_wgsl.ts";
import { extendBeyondCharts } from "./extend_charts.ts";
import { GUESS } from "./guess_settings.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/** A photograph of the face, and what was read of it at the small size s. */
export interface FullView {
  /** The part of the photograph under the mesh [1, H, W, 3]. */
  readonly picture: Tensor4D;
  /** Posed, in pixels of that part [3·V]. */
  readonly vertices: Float32Array;
  /** The unwrapped texture [s, s, 3]. */
  readonly texture: Tensor;
  /** How well each texel was seen, 0..1 [s, s]. */
  readonly visibility: Tensor;
  /** How much this photograph counts among several, 0..1 [s, s]. Default: 1 everywhere. */
  readonly share?: Tensor;
}

/** Which point of the mesh each texel shows, on the device, the same for all faces. */
export interface FullChart {
  readonly topology: Topology;
  /** Side in texels. */
  readonly size: number;
  /** Index of the texel's triangle, −1 outside the chart [1, size, size]. */
  readonly triangle: Tensor;
  /** Weights of the first two of its vertices [1, size, size, 2]. */
  readonly weights: Tensor;
  /** [3·T] */
  readonly triangles: Tensor;
}

/** Makes the chart of a topology, until `disposeFullChart`. */
export function fullChart(tf: Tfjs, topology: Topology, size: number): FullChart {
  const { uvs, vertexCount, triangles } = topology;
  const flat = new Float32Array(3 * vertexCount);
  for (let i = 0; i < vertexCount; i++) flat.set([uvs[2 * i]! * size, uvs[2 * i + 1]! * size], 3 * i);
  const { triangle, weights, depth } = rasterise(tf, { vertices: [flat], triangles }, { width: size, height: size });
  depth.dispose();
  return { topology, size, triangle, weights, triangles: tf.tensor1d(new Int32Array(triangles), "int32") };
}

/** Frees a chart. */
export function disposeFullChart({ triangle, weights, triangles }: FullChart): void {
  for (const tensor of [triangle, weights, triangles]) tensor.dispose();
}

/**
 * Enlarges the complete maps of one face and gives them the photographs' detail.
 *
 * @param views one or more
 * @param options.maps complete maps in the light of the photograph or without it [M, s, s, 3]
 * @returns [M, size, size, 3]; also defined outside the chart; not clamped
 * @throws {RangeError} if the maps or a view's are not square and of one size
 */
export function fullTextures(
  tf: Tfjs,
  views: readonly FullView[],
  { maps, chart }: { readonly maps: Tensor4D; readonly chart: FullChart },
): Tensor4D {
  const [count, from, width] = maps.shape;
  const { topology, size } = chart;
  for (const { texture, visibility, share = visibility } of views) {
    if (
      from === width && texture.size === 3 * from * from && [visibility, share].every((map) => map.size === from ** 2)
    ) {
      continue;
    }
    throw new RangeError(
      `Maps [${maps.shape}] cannot be enlarged with a texture [${texture.shape}] seen by [${visibility.shape}]`,
    );
  }
  return tf.tidy(() => {
    const detail = clearedTensor(tf, { shape: [size, size, 3], dtype: "float32" });
    for (const view of views) addDetail(tf, view, { detail, from, chart });
    return run(tf, {
      key: "full_textures",
      code: mapsCode,
      inputs: [extendBeyondCharts(tf, maps, uvMap(topology, from)), detail],
      shape: [count, size, size, 3],
      uniforms: [count * size * size, size * size, size, from],
      invocations: count * size * size,
    }) as Tensor4D;
  });
}

/** Adds what one photograph shows beyond the small size, as far as it counts, to `detail` [size, size, 3]. */
function addDetail(
  tf: Tfjs,
  { picture, vertices, texture, visibility, share }: FullView,
  { detail, from, chart }: { detail: Tensor; from: number; chart: FullChart },
): void {
  const [, height, width] = picture.shape;
  const { topology, size, triangle, triangles, weights } = chart;
  const [least, full] = GUESS.trust;
  const seen = run(tf, {
    key: "full_seen",
    code: seenCode,
    inputs: [
      texture,
      visibility,
      share ?? visibility,
      tf.tensor1d(new Int32Array(uvMap(topology, from).nearest), "int32"),
    ],
    shape: [from * from, 4],
    uniforms: [from * from, share === undefined ? 0 : 1, { f32: least }, { f32: full }],
    invocations: from * from,
  });
  run(tf, {
    key: "full_detail",
    code: detailCode,
    inputs: [picture, tf.tensor1d(pointsOf(vertices, topology)), triangles, triangle, weights, seen],
    into: detail,
    shape: detail.shape,
    uniforms: [size * size, size, from, width, height],
    invocations: size * size,
  });
}

/** x and y in the picture, and u and v in the chart, of each vertex [4·V]. */
function pointsOf(vertices: Float32Array, { uvs, vertexCount }: Topology): Float32Array {
  const points = new Float32Array(4 * vertexCount);
  for (let i = 0; i < vertexCount; i++) {
    points.set([vertices[3 * i]!, vertices[3 * i + 1]!, uvs[2 * i]!, uvs[2 * i + 1]!], 4 * i);
  }
  return points;
}

/** What was seen as texels of colour and weight, also outside the chart. */
const seenCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["texture", "f32"], ["visibility", "f32"], ["share", "f32"], ["nearest", "i32"]],
    uniforms: ["count", "several", "least:f32", "full:f32"],
    body: `
  if (id >= u.count) { return; }
  let at = nearest[id];
  let weight = smoothstep(u.least, u.full, visibility[at]) * select(1.0, share[at], u.several != 0);
  result[id] = vec4<f32>(texture[3 * at], texture[3 * at + 1], texture[3 * at + 2], weight);`,
  });

const detailCode = () =>
  program({
    result: "f32",
    inputs: [
      ["picture", "f32"],
      ["points", "vec4<f32>"],
      ["triangles", "i32"],
      ["triangle", "i32"],
      ["weights", "vec2<f32>"],
      ["seen", "vec4<f32>"],
    ],
    uniforms: ["count", "size", "from_size", "width", "height"],
    functions: QUOTIENT + CUBIC + cubicRead("seenAt", { type: "vec4<f32>", at: (texel) => `seen[${texel}]` }) +
      cubicRead("pixelAt", {
        type: "vec3<f32>",
        at: (pixel) => `vec3<f32>(picture[3 * ${pixel}], picture[3 * ${pixel} + 1], picture[3 * ${pixel} + 2])`,
      }) + `
fn samplesFor(step : vec2<f32>) -> i32 { return i32(clamp(ceil(length(step) - 0.01), 1.0, 8.0)); }
`,
    body: `
  if (id >= u.count) { return; }
  let corner = 3 * triangle[id];
  if (corner < 0) { return; }
  let row = quotient(id, u.size);
  let texel = vec2<f32>(vec2<i32>(id - row * u.size, row)) + 0.5;
  let known = seenAt(texel * (f32(u.from_size) / f32(u.size)), vec2<i32>(u.from_size), 0);
  let weight = min(known.w, 1.0);
  if (weight <= 0.0) { return; }
  let w = weights[id];
  let a = points[triangles[corner]];
  let p = points[triangles[corner + 1]] - a;
  let q = points[triangles[corner + 2]] - a;
  let place = a.xy + w.y * p.xy + (1.0 - w.x - w.y) * q.xy;
  // one texel's step to the right and down, in pixels
  let area = (p.z * q.w - q.z * p.w) * f32(u.size);
  let part = select(0.0, 1.0 / area, area != 0.0);
  let across = part * (q.w * p.xy - p.w * q.xy);
  let down = part * (p.z * q.xy - q.z * p.xy);
  let n = vec2<i32>(samplesFor(across), samplesFor(down));
  var colour = vec3<f32>();
  for (var j = 0; j < n.y; j++) {
    for (var i = 0; i < n.x; i++) {
      let step = (vec2<f32>(vec2<i32>(i, j)) + 0.5) / vec2<f32>(n) - 0.5;
      colour += pixelAt(place + step.x * across + step.y * down, vec2<i32>(u.width, u.height), 0);
    }
  }
  let more = weight * (colour / f32(n.x * n.y) - known.xyz);
  result[3 * id] += more.x;
  result[3 * id + 1] += more.y;
  result[3 * id + 2] += more.z;`,
  });

const mapsCode = () =>
  program({
    result: "f32",
    inputs: [["maps", "f32"], ["detail", "f32"]],
    uniforms: ["count", "area", "size", "from_size"],
    functions: QUOTIENT + CUBIC + cubicRead("mapAt", {
      type: "vec3<f32>",
      at: (texel) => `vec3<f32>(maps[3 * ${texel}], maps[3 * ${texel} + 1], maps[3 * ${texel} + 2])`,
    }),
    body: `
  if (id >= u.count) { return; }
  let map = quotient(id, u.area);
  let at = id - map * u.area;
  let row = quotient(at, u.size);
  let texel = vec2<f32>(vec2<i32>(at - row * u.size, row)) + 0.5;
  let base = map * u.from_size * u.from_size;
  let value = mapAt(texel * (f32(u.from_size) / f32(u.size)), vec2<i32>(u.from_size), base);
  for (var c = 0; c < 3; c++) { result[3 * id + c] = value[c] + detail[3 * at + c]; }`,
  });

/**
 * The reference of unwrap.ts, plain loops over one face: the photograph, sampled at every texel's place on the posed
 * mesh, and how well the camera saw it. Tests and benchmarks alone use it.
 */
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import type { Raster } from "@ftim/gpu/raster-options";
import { boxMeanCpu } from "@ftim/gpu/ops/box-mean-cpu";
import { frameOf } from "./depth_frame.ts";
import { addBilinear, type RgbImage } from "./image.ts";
import { interpolate } from "./interpolate_cpu.ts";
import { normalMap } from "./normal_maps_cpu.ts";
import { smoothstep } from "./smoothstep.ts";
import type { Topology } from "./topology.ts";
import { BEYOND, STRICT, type UnwrapOptions, type UnwrappedTexture, type Unwrapping } from "./unwrap_options.ts";
import { type UvMap, uvMap } from "./uv_map.ts";

/** Unwraps images onto meshes of one topology. */
export function unwrapCpu(faces: readonly Unwrapping[], options: UnwrapOptions): UnwrappedTexture[] {
  return faces.map((face) => unwrapFace(face, options));
}

function unwrapFace(
  { image, vertices, bounds = { left: 0, top: 0, width: image.width, height: image.height } }: Unwrapping,
  { topology, size = 256, facing = STRICT.facing, outline = STRICT.outline, erode = 1 }: UnwrapOptions,
): UnwrappedTexture {
  const map = uvMap(topology, size);
  const { left, top, scale, side } = frameOf(vertices);
  const moved = vertices.map((value, k) => (k % 3 === 0 ? value - left : k % 3 === 1 ? value - top : value) * scale);
  const shadow = rasteriseCpu({ vertices: moved, triangles: topology.triangles }, { width: side, height: side });
  const cover = boxMeanCpu(shadow.depth.map((z) => z < Infinity ? 1 : 0), {
    size: shadow.width,
    radius: Math.round(outline * shadow.width),
  });
  const places = interpolate(vertices, { topology, map });
  const normals = normalMap(vertices, topology, { size });
  const steps = texelFootprints(vertices, { topology, size });
  const texture = new Float32Array(3 * size * size);
  const beyond = topology.surface === undefined ? 0 : BEYOND;
  const visibility = Float32Array.from(map.inside, (inside) => inside === 1 ? 0 : beyond);
  for (let i = 0; i < size * size; i++) {
    if (map.inside[i] === 0) continue;
    const [x, y, z] = [places[3 * i]!, places[3 * i + 1]!, places[3 * i + 2]!];
    if (x < bounds.left || y < bounds.top || x > bounds.left + bounds.width || y > bounds.top + bounds.height) continue;
    sampleTexel(image, {
      x,
      y,
      step: steps.subarray(4 * map.triangle[i]!, 4 * map.triangle[i]! + 4),
      out: texture,
      at: 3 * i,
    });
    const front = smoothstep(facing[0], facing[1], normals[3 * i + 2]!);
    const [sx, sy] = [(x - left) * scale, (y - top) * scale];
    if (front === 0 || isHidden(shadow, { x: sx, y: sy, z: z * scale })) continue;
    const within = cover[Math.min(Math.floor(sy), shadow.height - 1) * shadow.width + Math.floor(sx)]!;
    visibility[i] = front * (outline > 0 ? smoothstep(0.5, 1, within) : 1);
  }
  const shrunk = shrink(visibility, { map, by: erode });
  return { texture, visibility: shrunk.map((value, i) => map.inside[i] === 1 ? value : 0) };
}

/**
 * Is there something clearly nearer at all four depth pixels around the point? Taking the farthest of four stands in
 * for a slope-dependent bias; the constant one is 1% of the face, far less than a nose's height over a cheek.
 */
function isHidden(shadow: Raster, { x, y, z }: { x: number; y: number; z: number }): boolean {
  const bias = 0.01 * shadow.width;
  const x0 = Math.min(Math.max(Math.floor(x - 0.5), 0), shadow.width - 2);
  const y0 = Math.min(Math.max(Math.floor(y - 0.5), 0), shadow.height - 2);
  const at = y0 * shadow.width + x0;
  const { depth, width } = shadow;
  const farthest = Math.max(depth[at]!, depth[at + 1]!, depth[at + width]!, depth[at + width + 1]!);
  return z > farthest + bias;
}

/** Per triangle, how many image pixels one texel step to the right (x, y) and down (x, y) makes. */
function texelFootprints(
  vertices: Float32Array,
  { topology, size }: { topology: Topology; size: number },
): Float32Array {
  const { triangles, uvs } = topology;
  const out = new Float32Array(4 * triangles.length / 3);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t]!, triangles[t + 1]!, triangles[t + 2]!];
    const [bu, bv] = [uvs[2 * b]! - uvs[2 * a]!, uvs[2 * b + 1]! - uvs[2 * a + 1]!];
    const [cu, cv] = [uvs[2 * c]! - uvs[2 * a]!, uvs[2 * c + 1]! - uvs[2 * a + 1]!];
    const area = (bu * cv - bv * cu) * size;
    if (area === 0) continue;
    for (let k = 0; k < 2; k++) {
      const p = vertices[3 * b + k]! - vertices[3 * a + k]!;
      const q = vertices[3 * c + k]! - vertices[3 * a + k]!;
      out[4 * t / 3 + k] = (p * cv - q * bv) / area;
      out[4 * t / 3 + 2 + k] = (q * bu - p * cu) / area;
    }
  }
  return out;
}

/**
 * Mean of the image over the texel's parallelogram: as many bilinear samples a side as it is pixels long, at most 8.
 */
function sampleTexel(
  image: RgbImage,
  { x, y, step, out, at }: { x: number; y: number; step: Float32Array; out: Float32Array; at: number },
): void {
  const across = samplesFor(step[0]!, step[1]!);
  const down = samplesFor(step[2]!, step[3]!);
  const weight = 1 / (across * down);
  for (let j = 0; j < down; j++) {
    const t = (j + 0.5) / down - 0.5;
    for (let i = 0; i < across; i++) {
      const s = (i + 0.5) / across - 0.5;
      addBilinear(image, { x: x + s * step[0]! + t * step[2]!, y: y + s * step[1]! + t * step[3]!, weight, out, at });
    }
  }
}

function samplesFor(x: number, y: number): number {
  return Math.min(8, Math.max(1, Math.ceil(Math.hypot(x, y) - 0.01)));
}

/** Grows what is not visible by so many texels: the minimum over a square, rows then columns. */
function shrink(values: Float32Array, { map, by }: { map: UvMap; by: number }): Float32Array {
  const { size } = map;
  const pass = (from: Float32Array, stride: number, other: number) => {
    const to = new Float32Array(from.length);
    for (let line = 0; line < size; line++) {
      for (let i = 0; i < size; i++) {
        let least = Infinity;
        for (let j = Math.max(0, i - by); j <= Math.min(size - 1, i + by); j++) {
          least = Math.min(least, from[line * other + j * stride]!);
        }
        to[line * other + i * stride] = least;
      }
    }
    return to;
  };
  return by > 0 ? pass(pass(values, 1, size), size, 1) : values;
}

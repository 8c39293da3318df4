// UV Render of the paper: the photograph, sampled at every texel's place on the posed mesh, and how well the camera saw
// it. DECA and FFHQ-UV accept a texel by its normal alone, so the nose lands on the cheek behind it; here a depth test
// decides.
import { type Raster, rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { boxMean, smoothstep } from "./box_filter.ts";
import { addBilinear, type RgbImage } from "./image.ts";
import { normalMap } from "./shading.ts";
import type { Topology } from "./topology.ts";
import { interpolate, type UvMap, uvMap } from "./uv_map.ts";

/** An incomplete texture and what of it was seen. */
export interface UnwrappedTexture {
  /** `size² · 3`, RGB; what lies at the texel's place in the image, seen or not; 0 outside image and chart. */
  readonly texture: Float32Array;
  /** `size²`, 0 (hidden, behind an edge, outside) to 1 (seen frontally). */
  readonly visibility: Float32Array;
}

/** What counts as seen. */
export interface UnwrapOptions {
  /** Side of the UV map in texels. Default 256. */
  readonly size?: number;
  /**
   * View-space normal z at which visibility begins and at which it is full. Default [0.2, 0.6]: 78° and 53° from the
   * camera.
   */
  readonly facing?: readonly [number, number];
  /**
   * Width, in parts of the face's size, of the band along the outline of the mesh in the image that fades to unseen: a
   * mesh is rarely true to the pixel, and there an error shows background or hair. Default 0.015: 2 pixels of a
   * 150-pixel face.
   */
  readonly outline?: number;
  /** Texels by which hidden regions and the chart's border grow. Default 1. */
  readonly erode?: number;
  /** The part of the image that shows something, pixels; what lies outside was not seen. Default: all of it. */
  readonly bounds?: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

/** Side of the depth map that decides what is hidden. */
const DEPTH_SIZE = 448;

/**
 * Unwraps an image onto the mesh.
 *
 * @param image Any size; `vertices` are in its pixels.
 * @param vertices Posed: x right, y down, z larger = farther; orthographic.
 */
export function unwrap(
  image: RgbImage,
  vertices: Float32Array,
  { topology, size = 256, facing = [0.2, 0.6], outline = 0.015, erode = 1, ...rest }: UnwrapOptions & {
    readonly topology: Topology;
  },
): UnwrappedTexture {
  const bounds = rest.bounds ?? { left: 0, top: 0, width: image.width, height: image.height };
  const map = uvMap(topology, size);
  const { left, top, scale, side } = frameOf(vertices);
  const moved = vertices.map((value, k) => (k % 3 === 0 ? value - left : k % 3 === 1 ? value - top : value) * scale);
  const shadow = rasteriseCpu({ vertices: moved, triangles: topology.triangles }, { width: side, height: side });
  const cover = boxMean(shadow.depth.map((z) => z < Infinity ? 1 : 0), {
    size: shadow.width,
    radius: Math.round(outline * shadow.width),
  });
  const places = interpolate(vertices, { topology, map });
  const normals = normalMap(vertices, topology, { size });
  const steps = texelFootprints(vertices, { topology, size });
  const texture = new Float32Array(3 * size * size);
  const visibility = new Float32Array(size * size);
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
  return { texture, visibility: shrink(visibility, { map, by: erode }) };
}

/**
 * How a mesh lies in its depth map of `side`²: (x − left)·scale, (y − top)·scale, z·scale. No vertex is within 2 pixels
 * of the border.
 */
export interface DepthFrame {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
  readonly side: number;
}

/** The frame of a mesh. */
export function frameOf(vertices: Float32Array): DepthFrame {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < vertices.length; i += 3) {
    left = Math.min(left, vertices[i]!);
    right = Math.max(right, vertices[i]!);
    top = Math.min(top, vertices[i + 1]!);
    bottom = Math.max(bottom, vertices[i + 1]!);
  }
  const scale = (DEPTH_SIZE - 4) / Math.max(right - left, bottom - top, 1e-6);
  return { left: left - 2 / scale, top: top - 2 / scale, scale, side: DEPTH_SIZE };
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

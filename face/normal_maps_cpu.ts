/** The reference of normal_maps.ts, plain loops over one face. Tests and benchmarks alone use it. */
import { interpolate } from "./interpolate_cpu.ts";
import { shade } from "./light_cpu.ts";
import { vertexNormals } from "./normals.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/**
 * Unit normal of each texel, interpolated from the vertex normals, in view space (x right, y up, z to the viewer).
 *
 * @param vertices Posed, crop pixels (y down, z away).
 * @returns `size² · 3`; defined outside the chart too.
 */
export function normalMap(
  vertices: Float32Array,
  topology: Topology,
  { size = 256 }: { size?: number } = {},
): Float32Array {
  const map = uvMap(topology, size);
  const normals = interpolate(vertexNormals(vertices, topology), { topology, map });
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.sqrt(normals[i]! ** 2 + normals[i + 1]! ** 2 + normals[i + 2]! ** 2) || 1;
    for (let k = 0; k < 3; k++) normals[i + k] = normals[i + k]! / length;
  }
  return normals;
}

/**
 * Shading of the posed mesh in UV space: texture = albedo · shading, texel by texel.
 *
 * @param light 27 values, band-major, RGB last.
 * @returns `size² · 3`, not clamped.
 */
export function shadingMap(
  vertices: Float32Array,
  { light, topology, size = 256 }: { light: Float32Array; topology: Topology; size?: number },
): Float32Array {
  return shade(normalMap(vertices, topology, { size }), light);
}

/**
 * Values of vertices as UV maps in plain loops: what the shaders of normal_maps.ts and unwrap.ts do at each texel.
 * Tests and references alone use it.
 */
import type { Topology } from "./topology.ts";
import type { UvMap } from "./uv_map.ts";

/**
 * Values of the vertices (three each) carried to every texel of the map, also outside the chart.
 *
 * @returns `size² · 3` values.
 */
export function interpolate(values: Float32Array, { topology, map }: { topology: Topology; map: UvMap }): Float32Array {
  const { triangles } = topology;
  const out = new Float32Array(3 * map.triangle.length);
  for (let i = 0; i < map.triangle.length; i++) {
    const t = 3 * map.triangle[i]!;
    const [a, b, c] = [3 * triangles[t]!, 3 * triangles[t + 1]!, 3 * triangles[t + 2]!];
    const wa = map.weights[2 * i]!;
    const wb = map.weights[2 * i + 1]!;
    const wc = 1 - wa - wb;
    for (let k = 0; k < 3; k++) out[3 * i + k] = wa * values[a + k]! + wb * values[b + k]! + wc * values[c + k]!;
  }
  return out;
}

/** The reference of paste_weights.ts, and its settings. */
import { boxMean, smoothstep } from "./box_filter.ts";
import { GUESS } from "./guess_textures_cpu.ts";
import { normalMap } from "./shading.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/** How completed parts fade out over their photograph. */
export const FADE = {
  /** Radius of the square in which the chart is looked at, in sides of the map. */
  border: 1 / 32,
  /** The chart's share of that square at which a texel begins to count, and counts in full: its border has a half. */
  within: [0.55, 1],
  /** View-space normal z at which a texel begins to count, and counts in full: 84° and 63° from the camera. */
  facing: [0.1, 0.45],
} as const;

/** The weights of one face whose visibility is [S·S], vertices in pixels [3·V]. */
export function pasteWeightsCpu(
  visibility: Float32Array,
  { vertices, topology }: { vertices: Float32Array; topology: Topology },
): Float32Array {
  const size = Math.sqrt(visibility.length);
  const within = boxMean(Float32Array.from(uvMap(topology, size).inside), {
    size,
    radius: Math.round(FADE.border * size),
  });
  const normals = normalMap(vertices, topology, { size });
  const [least, full] = GUESS.trust!;
  return visibility.map((value, i) =>
    (1 - smoothstep(least, full, value)) * smoothstep(...FADE.within, within[i]!) *
    smoothstep(...FADE.facing, normals[3 * i + 2]!)
  );
}

/** The reference of paste_weights.ts. */
import { boxMeanCpu } from "@ftim/gpu/ops/box-mean-cpu";
import { GUESS } from "./guess_settings.ts";
import { normalMap } from "./normal_maps_cpu.ts";
import { FADE } from "./paste_settings.ts";
import { smoothstep } from "./smoothstep.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/** The weights of one face whose visibility is [S·S], vertices in pixels [3·V]. */
export function pasteWeightsCpu(
  visibility: Float32Array,
  { vertices, topology }: { vertices: Float32Array; topology: Topology },
): Float32Array {
  const size = Math.sqrt(visibility.length);
  const within = boxMeanCpu(Float32Array.from(uvMap(topology, size).inside), {
    size,
    radius: Math.round(FADE.border * size),
  });
  const normals = normalMap(vertices, topology, { size });
  const [least, full] = GUESS.trust;
  return visibility.map((value, i) =>
    (1 - smoothstep(least, full, value)) * smoothstep(...FADE.within, within[i]!) *
    smoothstep(...FADE.facing, normals[3 * i + 2]!)
  );
}

/** The reference of extend_charts.ts, plain loops over one map. Tests and benchmarks alone use it. */
import type { UvMap } from "./uv_map.ts";

/** The map (`channels` values a texel) with each texel outside the chart replaced by the nearest inside. */
export function extendBeyondChart(values: Float32Array, map: UvMap): Float32Array {
  const channels = values.length / map.nearest.length;
  const out = new Float32Array(values.length);
  map.nearest.forEach((from, to) => {
    for (let k = 0; k < channels; k++) out[to * channels + k] = values[from * channels + k]!;
  });
  return out;
}

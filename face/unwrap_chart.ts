// What `unwrapBatch` needs of a topology and a size, the same for every face: where each texel lies on the mesh, and which triangles meet at a vertex.
import type { Topology } from "./topology.ts";
import { ROW } from "./unwrap_wgsl.ts";
import { uvMap } from "./uv_map.ts";

/** The chart of a topology at one size, as the shaders read it. */
export interface Chart {
  /** Per texel: three vertices and the triangle; then, floats in bits, the weights of the vertices and 1 inside the chart. */
  readonly texels: readonly [Uint32Array, Uint32Array];
  /** Per triangle: the parts of its two edges in one texel's step across and down. */
  readonly steps: Float32Array;
  /** The triangles around vertex i: `around[offsets[i]]` up to `around[offsets[i + 1]]`. */
  readonly offsets: Uint32Array;
  readonly around: Uint32Array;
}

const charts = new WeakMap<Topology, Map<number, Chart>>();

/** The chart, computed at the first call and kept with the topology. */
export function chartOf(topology: Topology, size: number): Chart {
  const known = charts.get(topology) ?? new Map<number, Chart>();
  charts.set(topology, known);
  let chart = known.get(size);
  if (chart === undefined) known.set(size, chart = makeChart(topology, size));
  return chart;
}

function makeChart({ triangles, uvs, vertexCount, ...rest }: Topology, size: number): Chart {
  const map = uvMap({ triangles, uvs, vertexCount, ...rest }, size);
  const corners = new Uint32Array(4 * size * size);
  const weights = new Float32Array(4 * size * size);
  for (let i = 0; i < size * size; i++) {
    const t = map.triangle[i]!;
    corners.set([triangles[3 * t]!, triangles[3 * t + 1]!, triangles[3 * t + 2]!, t], 4 * i);
    const [a, b] = [map.weights[2 * i]!, map.weights[2 * i + 1]!];
    weights.set([a, b, 1 - a - b, map.inside[i]!], 4 * i);
  }
  const steps = new Float32Array(4 * rowsOf(triangles.length / 3));
  const offsets = new Uint32Array(vertexCount + 1);
  for (const vertex of triangles) offsets[vertex + 1]!++;
  for (let i = 0; i < vertexCount; i++) offsets[i + 1]! += offsets[i]!;
  const next = offsets.slice();
  const around = new Uint32Array(triangles.length);
  for (let t = 0; t < triangles.length / 3; t++) {
    const [a, b, c] = [0, 1, 2].map((k) => triangles[3 * t + k]!) as [number, number, number];
    for (const vertex of [a, b, c]) around[next[vertex]!++] = t;
    const [bu, bv] = [uvs[2 * b]! - uvs[2 * a]!, uvs[2 * b + 1]! - uvs[2 * a + 1]!];
    const [cu, cv] = [uvs[2 * c]! - uvs[2 * a]!, uvs[2 * c + 1]! - uvs[2 * a + 1]!];
    const area = (bu * cv - bv * cu) * size;
    if (area !== 0) steps.set([cv / area, -bv / area, -cu / area, bu / area], 4 * t);
  }
  return { texels: [corners, new Uint32Array(weights.buffer)], steps, offsets, around };
}

/** The texels of whole rows that hold so many. */
export function rowsOf(length: number): number {
  return ROW * Math.ceil(length / ROW);
}

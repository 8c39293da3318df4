/**
 * The chart rasterised once a topology: for every texel of a square UV map its triangle and barycentric weights. Texels
 * outside the chart know the nearest one inside, so that a map can be extended past the chart's border and bilinear
 * reads near it mix in no background.
 */
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import type { Topology } from "./topology.ts";

/** Which point of the mesh each texel shows. Texel (x, y) has index y·size + x and its centre at ((x+0.5)/size, …). */
export interface UvMap {
  readonly size: number;
  /** Index of the texel's triangle; outside the chart that of the nearest texel inside. */
  readonly triangle: Int32Array;
  /** Barycentric weights of the triangle's first two vertices, two a texel; the third is 1 − both. */
  readonly weights: Float32Array;
  /** 1 inside the chart, 0 outside. */
  readonly inside: Uint8Array;
  /** The texel itself inside the chart, the nearest inside otherwise. */
  readonly nearest: Uint32Array;
}

/** By the arrays that a map depends on: topologies that share both share their maps. */
const maps = new WeakMap<Topology["triangles"], WeakMap<Topology["uvs"], Map<number, UvMap>>>();

/**
 * The UV map of a topology, computed at the first call and kept with its triangles and UVs.
 *
 * @throws RangeError if no texel centre lies inside the chart.
 */
export function uvMap(topology: Topology, size = 256): UvMap {
  const { triangles, uvs } = topology;
  const byUvs = maps.get(triangles) ?? new WeakMap<Topology["uvs"], Map<number, UvMap>>();
  maps.set(triangles, byUvs);
  const bySize = byUvs.get(uvs) ?? new Map<number, UvMap>();
  byUvs.set(uvs, bySize);
  let map = bySize.get(size);
  if (map === undefined) bySize.set(size, map = rasteriseChart(topology, size));
  return map;
}

function rasteriseChart(topology: Topology, size: number): UvMap {
  const vertices = new Float32Array(3 * topology.vertexCount);
  for (let i = 0; i < topology.vertexCount; i++) {
    vertices[3 * i] = topology.uvs[2 * i]! * size;
    vertices[3 * i + 1] = topology.uvs[2 * i + 1]! * size;
  }
  const raster = rasteriseCpu({ vertices, triangles: topology.triangles }, { width: size, height: size });
  const inside = Uint8Array.from(raster.triangle, (id) => id >= 0 ? 1 : 0);
  const nearest = nearestInside(inside, size);
  return {
    size,
    inside,
    nearest,
    triangle: Int32Array.from(nearest, (from) => raster.triangle[from]!),
    weights: Float32Array.from(raster.weights, (_, k) => raster.weights[2 * nearest[k >> 1]! + (k & 1)]!),
  };
}

/**
 * For each texel the (nearly, and for ties the first) nearest that is inside, by passing candidates along the rows both
 * ways.
 */
function nearestInside(inside: Uint8Array, size: number): Uint32Array {
  const none = 0xffffffff;
  const nearest = Uint32Array.from(inside, (value, i) => value === 1 ? i : none);
  const distance = (from: number, to: number) =>
    from === none ? Infinity : (from % size - to % size) ** 2 + (Math.floor(from / size) - Math.floor(to / size)) ** 2;
  const consider = (x: number, y: number, [dx, dy]: readonly [number, number]) => {
    if (x + dx < 0 || x + dx >= size || y + dy < 0 || y + dy >= size) return;
    const at = y * size + x;
    const candidate = nearest[(y + dy) * size + x + dx]!;
    if (distance(candidate, at) < distance(nearest[at]!, at)) nearest[at] = candidate;
  };
  const above = [[-1, -1], [0, -1], [1, -1]] as const;
  const below = [[-1, 1], [0, 1], [1, 1]] as const;
  for (let pass = 0; pass < 2; pass++) {
    for (let step = 0; step < size; step++) {
      const y = pass === 0 ? step : size - 1 - step;
      for (let x = 0; x < size; x++) for (const d of pass === 0 ? above : below) consider(x, y, d);
      for (let x = 1; x < size; x++) consider(x, y, [-1, 0]);
      for (let x = size - 2; x >= 0; x--) consider(x, y, [1, 0]);
    }
  }
  if (nearest.includes(none)) throw new RangeError(`No texel of a ${size}×${size} map lies inside the chart`);
  return nearest;
}

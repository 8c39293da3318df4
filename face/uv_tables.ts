/**
 * What the device knows of a topology and its UV map: the triangles around each vertex, and which point of the mesh
 * each texel shows. It is the same for every face, so it is uploaded once and stays.
 */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { Topology } from "./topology.ts";
import { chartOf } from "./unwrap_chart.ts";
import { uvMap } from "./uv_map.ts";

/** Tables of a topology at one size, S×S texels. */
export interface UvTables {
  /** The other two vertices of each triangle around vertex i, two triangles an element: `offsets[i]` and on. */
  readonly ring: Tensor;
  /** [V + 1] */
  readonly offsets: Tensor;
  /** The texel's three vertices, and 1 inside the chart or 0 [S², 4]. */
  readonly corners: Tensor;
  /** Weights of the first two vertices [S², 2]. */
  readonly weights: Tensor;
}

const tables = new WeakMap<Topology, Map<number, UvTables>>();

/** The tables of a topology. They stay on the device until `disposeUvTables`. */
export function uvTables(tf: Tfjs, topology: Topology, size: number): UvTables {
  const bySize = tables.get(topology) ?? new Map<number, UvTables>();
  tables.set(topology, bySize);
  let known = bySize.get(size);
  if (known === undefined) bySize.set(size, known = upload(tf, topology, size));
  return known;
}

/** Frees what `uvTables` keeps for a topology. */
export function disposeUvTables(topology: Topology): void {
  for (const { ring, offsets, corners, weights } of tables.get(topology)?.values() ?? []) {
    for (const tensor of [ring, offsets, corners, weights]) tensor.dispose();
  }
  tables.delete(topology);
}

function upload(tf: Tfjs, topology: Topology, size: number): UvTables {
  const { triangles } = topology;
  const map = uvMap(topology, size);
  const { ring, offsets } = chartOf(topology, size);
  const corners = new Int32Array(4 * size * size);
  map.triangle.forEach((t, i) => {
    corners.set(triangles.subarray(3 * t, 3 * t + 3), 4 * i);
    corners[4 * i + 3] = map.inside[i]!;
  });
  const keep = (values: Int32Array | Float32Array, width: number) =>
    tf.keep(tf.tensor2d(values, [values.length / width, width], values instanceof Int32Array ? "int32" : "float32"));
  return {
    // WebGPU binds no empty buffer.
    ring: keep(ring.length > 0 ? new Int32Array(ring) : new Int32Array(4), 4),
    offsets: keep(new Int32Array(offsets), 1),
    corners: keep(corners, 4),
    weights: keep(map.weights.slice(), 2),
  };
}

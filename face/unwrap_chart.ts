/**
 * What `unwrap` needs of a topology and a size, the same for every face: which texels lie on the mesh and where, and
 * what surrounds a vertex.
 */
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/** The chart of a topology at one size, as the shaders read it. */
export interface Chart {
  /** Texels inside the chart; only these are computed. */
  readonly count: number;
  /** Per texel inside: its three vertices and the triangle. */
  readonly corners: Uint32Array;
  /** Per texel inside: the weights of the first two vertices, floats in bits, then its x and y. */
  readonly places: Uint32Array;
  /** Per triangle: its three vertices, and one that is not used. */
  readonly triangles: Uint32Array;
  /** Per triangle: the parts of its two edges in one texel's step across and down. */
  readonly steps: Float32Array;
  /**
   * The other two vertices, in order, of each triangle of the surface around vertex i, two triangles an element:
   * `offsets[i]` up to `offsets[i + 1]`.
   */
  readonly ring: Uint32Array;
  readonly offsets: Uint32Array;
}

/** Computes the chart. */
export function chartOf(topology: Topology, size: number): Chart {
  const { triangles, uvs } = topology;
  const map = uvMap(topology, size);
  const count = map.inside.reduce((sum, inside) => sum + inside, 0);
  const corners = new Uint32Array(4 * count);
  const places = new Uint32Array(4 * count);
  const weights = new Float32Array(places.buffer);
  for (let i = 0, at = 0; i < size * size; i++) {
    if (map.inside[i] === 0) continue;
    const t = map.triangle[i]!;
    corners.set([triangles[3 * t]!, triangles[3 * t + 1]!, triangles[3 * t + 2]!, t], at);
    weights.set([map.weights[2 * i]!, map.weights[2 * i + 1]!], at);
    places.set([i % size, Math.floor(i / size)], at + 2);
    at += 4;
  }
  const corner4 = new Uint32Array(4 * triangles.length / 3);
  const steps = new Float32Array(4 * triangles.length / 3);
  for (let t = 0; t < triangles.length / 3; t++) {
    corner4.set(triangles.subarray(3 * t, 3 * t + 3), 4 * t);
    const [a, b, c] = [2 * triangles[3 * t]!, 2 * triangles[3 * t + 1]!, 2 * triangles[3 * t + 2]!];
    const [bu, bv] = [uvs[b]! - uvs[a]!, uvs[b + 1]! - uvs[a + 1]!];
    const [cu, cv] = [uvs[c]! - uvs[a]!, uvs[c + 1]! - uvs[a + 1]!];
    const area = (bu * cv - bv * cu) * size;
    if (area !== 0) steps.set([cv / area, -bv / area, -cu / area, bu / area], 4 * t);
  }
  return { count, corners, places, triangles: corner4, steps, ...rings(topology) };
}

function rings(
  { vertexCount, surface, ...own }: Topology,
): { ring: Uint32Array; offsets: Uint32Array } {
  const triangles = surface?.triangles ?? own.triangles;
  const alike = vertexGroups(vertexCount, surface?.welded);
  const valence = new Uint32Array(vertexCount);
  for (const vertex of triangles) for (const at of alike(vertex)) valence[at]!++;
  const offsets = new Uint32Array(vertexCount + 1);
  for (let i = 0; i < vertexCount; i++) offsets[i + 1] = offsets[i]! + Math.ceil(valence[i]! / 2);
  // Where the number of triangles is odd, one without area fills up.
  const ring = new Uint32Array(4 * offsets[vertexCount]!);
  for (let i = 0; i < vertexCount; i++) ring.fill(i, 4 * offsets[i]!, 4 * offsets[i + 1]!);
  const next = offsets.map((offset) => 4 * offset);
  for (let k = 0; k < triangles.length; k++) {
    const t = k - k % 3;
    for (const vertex of alike(triangles[k]!)) {
      ring[next[vertex]!++] = triangles[t + (k + 1) % 3]!;
      ring[next[vertex]!++] = triangles[t + (k + 2) % 3]!;
    }
  }
  return { ring, offsets };
}

/** Gives the vertices at the place of one; it alone, where nothing is welded. */
function vertexGroups(count: number, welded: Uint32Array | undefined): (vertex: number) => readonly number[] {
  if (welded === undefined) return (vertex) => [vertex];
  const groups = Array.from({ length: count }, (): number[] => []);
  welded.forEach((first, vertex) => groups[first]!.push(vertex));
  return (vertex) => groups[welded[vertex]!]!;
}

/** Normals of a mesh's vertices, in loops: those of a batch are the device's work (normal_maps.ts). */
import type { Topology } from "./topology.ts";

/**
 * Unit vertex normals in view space (x right, y up, z to the viewer), area-weighted over the adjoining triangles.
 *
 * @param vertices xyz triples in crop pixels (x right, y down, z away); triangles run counter-clockwise on screen.
 * @param topology over whose surface the normals are taken: vertices at one place of it have one normal.
 * @returns xyz triples; (0, 0, 1) for a vertex without area around it.
 */
export function vertexNormals(
  vertices: Float32Array,
  topology: Pick<Topology, "triangles" | "surface">,
): Float32Array {
  const { triangles, welded } = { welded: undefined, ...(topology.surface ?? topology) };
  const placeOf = (vertex: number) => 3 * (welded?.[vertex] ?? vertex);
  const normals = new Float32Array(vertices.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [placeOf(triangles[t]!), placeOf(triangles[t + 1]!), placeOf(triangles[t + 2]!)];
    const ux = vertices[b]! - vertices[a]!;
    const uy = -(vertices[b + 1]! - vertices[a + 1]!);
    const uz = -(vertices[b + 2]! - vertices[a + 2]!);
    const vx = vertices[c]! - vertices[a]!;
    const vy = -(vertices[c + 1]! - vertices[a + 1]!);
    const vz = -(vertices[c + 2]! - vertices[a + 2]!);
    const x = uy * vz - uz * vy;
    const y = uz * vx - ux * vz;
    const z = ux * vy - uy * vx;
    for (const at of [a, b, c]) {
      normals[at] = normals[at]! + x;
      normals[at + 1] = normals[at + 1]! + y;
      normals[at + 2] = normals[at + 2]! + z;
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i]!, normals[i + 1]!, normals[i + 2]!);
    if (length > 0) { for (let k = 0; k < 3; k++) normals[i + k] = normals[i + k]! / length; }
    else normals[i + 2] = 1;
  }
  welded?.forEach((first, vertex) => normals.copyWithin(3 * vertex, 3 * first, 3 * first + 3));
  return normals;
}

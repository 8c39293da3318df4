/**
 * Which vertices of a mesh make a triangle, and where each lies in the UV chart. Every regressor brings its own.
 *
 * Every vertex has one place in the chart. Along a seam several vertices lie at one place of the surface, so that
 * whatever draws a mesh or carries a map need not know of seams; normals alone are taken over the surface.
 */
import { orientTriangles } from "./winding.ts";

/** A triangle mesh with a UV chart. Its maps are mirrored by reversing their rows, so the chart must nearly be its own
 * mirror image about u = 0.5. */
export interface Topology {
  readonly vertexCount: number;
  /** Three vertex indices a triangle, counter-clockwise seen from outside (in the chart: seen on screen). */
  readonly triangles: Uint32Array;
  /** u (right) and v (down) of each vertex, 0..1. */
  readonly uvs: Float32Array;
  /** What normals are taken over, where the chart has seams or the mesh goes on beyond its triangles. */
  readonly surface?: Surface;
}

/** A surface that the vertices of a topology lie on. */
export interface Surface {
  /** As `triangles` of the topology, and those beside them that are not drawn. */
  readonly triangles: Uint32Array;
  /** Of each vertex the first that lies at the same place: itself, but along a seam. */
  readonly welded: Uint32Array;
}

/** A mesh whose chart is exactly symmetric about u = 0.5. */
export interface SymmetricTopology extends Topology {
  /** Vertex i's twin on the other half of the face; a vertex on the midline is its own. An involution. */
  readonly mirror: Uint32Array;
}

/** Vertices by what they mark; of two the image's left first, as in a face that looks at the camera. */
export interface FaceLandmarks {
  /** Outer and inner corner of one eye, inner and outer corner of the other. */
  readonly eyes: readonly [number, number, number, number];
  readonly noseTip: number;
  readonly mouthCorners: readonly [number, number];
  /** Tip, base, both wings and bridge of the nose. */
  readonly nose: readonly [number, number, number, number, number];
}

/**
 * Checks a mesh, orients its triangles counter-clockwise in the chart and makes the chart exactly symmetric.
 *
 * @throws Error if an index is out of range, or a vertex has no mirror twin within 0.01.
 */
export function createTopology(mesh: { triangles: Uint32Array; uvs: Float32Array }): SymmetricTopology {
  const vertexCount = mesh.uvs.length / 2;
  if (!Number.isInteger(vertexCount) || vertexCount === 0 || mesh.triangles.length % 3 !== 0) {
    throw new Error(
      `A mesh needs 2 UV values a vertex and 3 indices a triangle, not ${mesh.uvs.length} and ${mesh.triangles.length}`,
    );
  }
  const bad = mesh.triangles.find((index) => index >= vertexCount);
  if (bad !== undefined) throw new Error(`A triangle names vertex ${bad}, but the mesh has ${vertexCount}`);
  const mirror = mirrorPermutation(mesh.uvs);
  const uvs = new Float32Array(mesh.uvs.length);
  for (let i = 0; i < vertexCount; i++) {
    const twin = mirror[i]!;
    // The right half is computed and the left is 1 − it, which is exact in f32.
    const half = Math.fround(0.5 + Math.abs(mesh.uvs[2 * i]! - mesh.uvs[2 * twin]!) / 2);
    uvs[2 * i] = mesh.uvs[2 * i]! >= mesh.uvs[2 * twin]! ? half : 1 - half;
    uvs[2 * i + 1] = (mesh.uvs[2 * i + 1]! + mesh.uvs[2 * twin + 1]!) / 2;
  }
  return { vertexCount, triangles: orientTriangles(mesh.triangles, uvs), uvs, mirror };
}

/**
 * Twin of each vertex under u → 1 − u, by nearest neighbour.
 *
 * @throws Error if the nearest vertex is farther than `tolerance`, or two vertices claim one twin.
 */
export function mirrorPermutation(uvs: Float32Array, { tolerance = 0.01 }: { tolerance?: number } = {}): Uint32Array {
  const count = uvs.length / 2;
  const mirror = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let best = Infinity;
    for (let j = 0; j < count; j++) {
      const distance = Math.hypot(1 - uvs[2 * i]! - uvs[2 * j]!, uvs[2 * i + 1]! - uvs[2 * j + 1]!);
      if (distance < best) {
        best = distance;
        mirror[i] = j;
      }
    }
    if (best > tolerance) {
      throw new Error(`Vertex ${i} has no mirror twin in the chart: the nearest is ${best.toFixed(4)} away`);
    }
  }
  const odd = mirror.findIndex((twin, i) => mirror[twin] !== i);
  if (odd >= 0) throw new Error(`Vertex ${odd} and its mirror twin ${mirror[odd]} do not name each other`);
  return mirror;
}

/** The midline vertices with the smallest v, at the top of the forehead, and with the largest, on the chin. */
export function midlineEnds({ mirror, uvs }: SymmetricTopology): { top: number; bottom: number } {
  let top = -1;
  let bottom = -1;
  mirror.forEach((twin, i) => {
    if (twin !== i) return;
    if (top < 0 || uvs[2 * i + 1]! < uvs[2 * top + 1]!) top = i;
    if (bottom < 0 || uvs[2 * i + 1]! > uvs[2 * bottom + 1]!) bottom = i;
  });
  if (top === bottom) throw new Error("The mesh has no midline: at least two vertices must be their own mirror twin");
  return { top, bottom };
}

/** Vertices (xyz triples) reflected in the image's vertical axis: x → `about`·2 − x, each taking its twin's place. */
export function mirrorVertices(vertices: Float32Array, options: { mirror: Uint32Array; about?: number }): Float32Array {
  const about = options.about ?? 0;
  const out = new Float32Array(vertices.length);
  options.mirror.forEach((twin, i) => {
    out[3 * i] = 2 * about - vertices[3 * twin]!;
    out[3 * i + 1] = vertices[3 * twin + 1]!;
    out[3 * i + 2] = vertices[3 * twin + 2]!;
  });
  return out;
}

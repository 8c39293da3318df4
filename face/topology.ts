/**
 * The 468-vertex face mesh: which vertices make a triangle, where each lies in the UV chart, and which is its mirror
 * twin. Parsed from the text of `@vladmandic/human`'s `src/face/facemeshcoords.ts` (MediaPipe's face mesh, Apache-2.0);
 * the chart there is v-down already (forehead 0.107, chin 0.954), image-left is u-left, and eyes are covered.
 */
import { openMouth } from "./mouth.ts";
import { orientTriangles } from "./winding.ts";

/** A triangle mesh with a UV chart that is exactly symmetric about u = 0.5. */
export interface Topology {
  readonly vertexCount: number;
  /** Three vertex indices a triangle, counter-clockwise seen from outside (in the chart: seen on screen). */
  readonly triangles: Uint32Array;
  /** u (right) and v (down) of each vertex, 0..1. */
  readonly uvs: Float32Array;
  /** Vertex i's twin on the other half of the face; a vertex on the midline is its own. An involution. */
  readonly mirror: Uint32Array;
}

/**
 * Reads a mesh from the source text that holds `UV468` and `TRI468` array literals.
 *
 * The packaged chart is symmetric to within 0.0012 (a third of a texel at 256²). UVs are a layout and nothing else, so
 * each vertex is moved to the mean of itself and its twin's reflection; a UV map is then mirrored by reversing its
 * rows.
 *
 * @param options.mouth How far the closed mouth is opened in the chart and given triangles (`openMouth`), in UV units;
 *   0.06 is 15 texels at 256², 0 leaves the packaged mesh with its hole.
 * @throws Error if an array is absent or malformed, or the chart has no mirror symmetry.
 */
export function parseTopology(source: string, { mouth = 0.06 }: { mouth?: number } = {}): Topology {
  const uvs = Float32Array.from(readNumbers(source, "UV468"));
  const triangles = Uint32Array.from(readNumbers(source, "TRI468"));
  const mesh = { triangles: orientTriangles(triangles, uvs), uvs };
  return createTopology(mouth > 0 ? openMouth(mesh, { height: mouth }) : mesh);
}

/**
 * Checks a mesh, orients its triangles counter-clockwise in the chart and makes the chart exactly symmetric.
 *
 * @throws Error if an index is out of range, or a vertex has no mirror twin within 0.01.
 */
export function createTopology(mesh: { triangles: Uint32Array; uvs: Float32Array }): Topology {
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

/**
 * The midline vertices with the smallest v (top of the forehead; 10 in MediaPipe's mesh) and the largest (chin; 152).
 */
export function midlineEnds({ mirror, uvs }: Topology): { top: number; bottom: number } {
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

function readNumbers(source: string, name: string): number[] {
  const start = source.search(new RegExp(`\\b${name}\\b[^=;]*=\\s*\\[`));
  if (start < 0) throw new Error(`The mesh source has no array ${name}`);
  const open = source.indexOf("=", start) + 1;
  const close = source.indexOf("];", open);
  if (close < 0) throw new Error(`The array ${name} in the mesh source does not end`);
  const body = source.slice(open, close).replace(/\/\/[^\n]*/g, "").replace(/[[\]\s]+/g, " ");
  const numbers = body.split(",").map((word) => word.trim()).filter((word) => word !== "").map(Number);
  if (numbers.length === 0 || numbers.some((value) => !Number.isFinite(value))) {
    throw new Error(`The array ${name} in the mesh source holds something that is no number`);
  }
  return numbers;
}

/**
 * The face of a head, as a topology: of a template mesh whose chart has seams (template_mesh.ts), the triangles that
 * lie in a mask of the chart. All else of the head is left away, because a crop shows hair and clothes there, and what
 * is scored and pasted is the face alone.
 *
 * Along a seam each place in the chart becomes a vertex of its own. Normals are taken over the welded surface, which
 * reaches one ring of triangles beyond the face, so that they are those of the whole head.
 */
import type { SurfacePoints } from "./flame_model.ts";
import type { TemplateMesh } from "./template_mesh.ts";
import type { FaceLandmarks, Topology } from "./topology.ts";

/** A square mask of the chart, rows from the top. */
export interface ChartMask {
  /** Side in texels. */
  readonly size: number;
  /** `size²` values, 0..1; more than ½ is face. */
  readonly values: ArrayLike<number>;
}

/** A part of a template mesh. */
export interface FacePart {
  readonly topology: Topology;
  /** Vertex of the template of each vertex of the topology. */
  readonly vertices: Uint32Array<ArrayBuffer>;
}

/**
 * Cuts the face out of a head. A triangle belongs to it if its middle in the chart lies in the mask.
 *
 * @throws {RangeError} if no triangle does
 */
export function facePart({ triangles, uvs, uvTriangles }: TemplateMesh, { size, values }: ChartMask): FacePart {
  const isFace = (t: number) => {
    const [column, row] = [0, 1].map((axis) => {
      const sum = [0, 1, 2].reduce((sum, k) => sum + uvs[2 * uvTriangles[3 * t + k]! + axis]!, 0);
      return Math.min(size - 1, Math.max(0, Math.floor(sum / 3 * size)));
    }) as [number, number];
    return values[row * size + column]! > 0.5;
  };
  const all = Array.from({ length: triangles.length / 3 }, (_, t) => t);
  const face = all.filter(isFace);
  if (face.length === 0) throw new RangeError("No triangle of the head lies in the mask of its face");
  const cornersOf = (t: number) => [3 * t, 3 * t + 1, 3 * t + 2];
  const touched = new Set(face.flatMap(cornersOf).map((corner) => triangles[corner]!));
  const around = all.filter((t) => cornersOf(t).some((corner) => touched.has(triangles[corner]!)));
  const known = new Map<string, number>();
  const first = new Map<number, number>();
  const [vertices, places, welded]: [number[], number[], number[]] = [[], [], []];
  const vertexAt = (corner: number) => {
    const [vertex, place] = [triangles[corner]!, uvTriangles[corner]!];
    const name = `${vertex}/${place}`;
    const found = known.get(name);
    if (found !== undefined) return found;
    const own = vertices.length;
    known.set(name, own);
    if (!first.has(vertex)) first.set(vertex, own);
    vertices.push(vertex);
    places.push(uvs[2 * place]!, uvs[2 * place + 1]!);
    welded.push(first.get(vertex)!);
    return own;
  };
  const surface = Uint32Array.from(around.flatMap(cornersOf), vertexAt);
  return {
    topology: {
      vertexCount: vertices.length,
      triangles: Uint32Array.from(face.flatMap(cornersOf), vertexAt),
      uvs: Float32Array.from(places),
      surface: { triangles: surface, welded: Uint32Array.from(welded) },
    },
    vertices: Uint32Array.from(vertices),
  };
}

/** iBUG's numbers, from 0, of what is looked for; the person's right is the image's left. */
const IBUG = { eyes: [36, 39, 42, 45], noseTip: 30, mouthCorners: [48, 54], nose: [30, 33, 31, 35, 27] } as const;

/**
 * The landmarks of a part as vertices: of each point that one of its triangle's corners that is nearest by its weight.
 *
 * @param points the 68 points of iBUG on the whole mesh
 * @throws {RangeError} if a point lies outside of the part; the message names it
 */
export function partLandmarks(
  { vertices }: FacePart,
  { points: { triangles: sources, weights }, triangles }: { points: SurfacePoints; triangles: Uint32Array },
): FaceLandmarks {
  const vertexOf = (point: number) => {
    const corner = [0, 1, 2].reduce((a, b) => weights[3 * point + b]! > weights[3 * point + a]! ? b : a);
    const vertex = vertices.indexOf(triangles[3 * sources[point]! + corner]!);
    if (vertex < 0) throw new RangeError(`Landmark ${point} of the head lies outside of the mask of its face`);
    return vertex;
  };
  const [outer, inner, otherInner, otherOuter] = IBUG.eyes;
  const [corner, otherCorner] = IBUG.mouthCorners;
  const [tip, base, wing, otherWing, bridge] = IBUG.nose;
  return {
    eyes: [vertexOf(outer), vertexOf(inner), vertexOf(otherInner), vertexOf(otherOuter)],
    noseTip: vertexOf(IBUG.noseTip),
    mouthCorners: [vertexOf(corner), vertexOf(otherCorner)],
    nose: [vertexOf(tip), vertexOf(base), vertexOf(wing), vertexOf(otherWing), vertexOf(bridge)],
  };
}

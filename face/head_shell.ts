/**
 * A head around the face mesh: rings that start at the face's outline and run back along the sides of the head, so that
 * a rotated face keeps hair, ears and jaw instead of floating in the air. The idea is face profiling (Zhu et al., "Face
 * Alignment Across Large Poses", CVPR 2016), which meshes the surroundings of a face in the photograph and turns them
 * with it.
 */

import { boundaryLoops } from "./mouth.ts";

/** A ring of the shell, relative to the outline of the face. */
interface Ring {
  /** Distance from the face's centre, as a factor on the outline's. */
  spread: number;
  /** How far behind the outline, in half widths of the face. */
  depth: number;
  /**
   * Where the ring's colours lie in the photograph: distance from the centre of the face as a factor on the outline's.
   */
  reach: number;
}

/** From the outline to the back of the head; the last ring closes in one point. */
const RINGS: readonly Ring[] = [
  { spread: 1.0, depth: 0.02, reach: 1.0 },
  { spread: 1.08, depth: 0.25, reach: 1.1 },
  { spread: 1.14, depth: 0.6, reach: 1.24 },
  { spread: 1.1, depth: 1.05, reach: 1.36 },
  { spread: 0.85, depth: 1.5, reach: 1.44 },
];

/** The shell of one head. */
export interface HeadShell {
  /** Positions in model space [3·V]. */
  vertices: Float32Array;
  /** Where each vertex takes its colour in the photograph, pixels [2·V]. */
  samples: Float32Array;
  /** Vertex indices [3·T], wound like the face. */
  triangles: Uint32Array;
}

/**
 * Builds the shell of a head.
 *
 * @param vertices the face in model space [3·V]: x right, y up, z to the viewer
 * @param options.triangles the face's triangles
 * @param options.photographed the same vertices in the photograph, pixels, x right, y down [3·V]
 */
export function headShell(
  vertices: Float32Array,
  { triangles, photographed }: { triangles: Uint32Array; photographed: Float32Array },
): HeadShell {
  const loop = boundaryLoops(triangles)[0];
  if (loop === undefined) throw new RangeError("Cannot build a head: the face mesh has no border");
  const at = (values: Float32Array, vertex: number, axis: number) => values[3 * vertex + axis] as number;
  const middle = (values: Float32Array, axis: number) => {
    const column = loop.map((vertex) => at(values, vertex, axis));
    return (Math.min(...column) + Math.max(...column)) / 2;
  };
  const centre = [middle(vertices, 0), middle(vertices, 1)] as const;
  const pixelCentre = [middle(photographed, 0), middle(photographed, 1)] as const;
  const halfWidth = Math.max(...loop.map((vertex) => Math.abs(at(vertices, vertex, 0) - centre[0])));
  const count = loop.length;
  const positions: number[] = [];
  const samples: number[] = [];
  for (const { spread, depth, reach } of RINGS) {
    for (const vertex of loop) {
      const x = at(vertices, vertex, 0) - centre[0];
      const y = at(vertices, vertex, 1) - centre[1];
      // The neck is no part of the head: below the chin a ring goes back, not down.
      const vertical = y < 0 ? 1 + (spread - 1) * 0.3 : spread;
      positions.push(centre[0] + x * spread, centre[1] + y * vertical, at(vertices, vertex, 2) - depth * halfWidth);
      samples.push(
        pixelCentre[0] + (at(photographed, vertex, 0) - pixelCentre[0]) * reach,
        pixelCentre[1] + (at(photographed, vertex, 1) - pixelCentre[1]) * reach,
      );
    }
  }
  // The back of the head ends in one point, coloured like the crown.
  const crown = loop.reduce((top, vertex) => at(vertices, vertex, 1) > at(vertices, top, 1) ? vertex : top);
  const last = RINGS.at(-1) as Ring;
  positions.push(
    centre[0],
    centre[1],
    Math.min(...loop.map((v) => at(vertices, v, 2))) - (last.depth + 0.2) * halfWidth,
  );
  samples.push(
    pixelCentre[0] + (at(photographed, crown, 0) - pixelCentre[0]) * last.reach,
    pixelCentre[1] + (at(photographed, crown, 1) - pixelCentre[1]) * last.reach,
  );

  const faces: number[] = [];
  for (let i = 0; i < count; i++) {
    const j = (i + 1) % count;
    for (let ring = 0; ring + 1 < RINGS.length; ring++) {
      const [a, b, c, d] = [ring * count + i, ring * count + j, (ring + 1) * count + i, (ring + 1) * count + j];
      faces.push(b, a, c, b, c, d);
    }
    const [a, b] = [(RINGS.length - 1) * count + i, (RINGS.length - 1) * count + j];
    faces.push(b, a, RINGS.length * count);
  }
  return {
    vertices: Float32Array.from(positions),
    samples: Float32Array.from(samples),
    triangles: Uint32Array.from(faces),
  };
}

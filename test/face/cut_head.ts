// The head of head.ts as a template mesh whose chart is cut along the middle of the face, and its face as a topology.
import { type FacePart, facePart } from "../../face/face_part.ts";
import type { TemplateMesh } from "../../face/template_mesh.ts";
import { gridHead } from "./head.ts";

/** Width of the cut in UV units. */
const GAP = 0.1;

/** A mesh whose middle column lies in the chart twice, and its vertices in model space. */
export function cutHead(
  n = 21,
  options: Parameters<typeof gridHead>[1] = {},
): { mesh: TemplateMesh; model: Float32Array } {
  const { topology: { uvs, triangles }, model } = gridHead(n, options);
  const middle = (n - 1) / 2;
  const isRight = (t: number) => [0, 1, 2].some((k) => triangles[3 * t + k]! % n > middle);
  const moved = (i: number, right: boolean) => (1 - GAP) * uvs[2 * i]! + (right ? GAP : 0);
  const places: number[] = [];
  for (let i = 0; i < n * n; i++) places.push(moved(i, i % n > middle), uvs[2 * i + 1]!);
  // The middle column once more, for the triangles to the right of it.
  for (let row = 0; row < n; row++) {
    const i = row * n + middle;
    places.push(moved(i, true), uvs[2 * i + 1]!);
  }
  const uvTriangles = triangles.map((i, corner) =>
    i % n === middle && isRight(corner / 3 | 0) ? n * n + (i / n | 0) : i
  );
  return {
    mesh: {
      vertexCount: n * n,
      triangles: new Uint32Array(triangles),
      uvs: Float32Array.from(places),
      uvTriangles: new Uint32Array(uvTriangles),
    },
    model,
  };
}

/** All of the head as a topology, and its vertices in model space. */
export function cutFace(
  ...head: Parameters<typeof cutHead>
): FacePart & { mesh: TemplateMesh; model: Float32Array } {
  const { mesh, model } = cutHead(...head);
  const part = facePart(mesh, { size: 1, values: [1] });
  return { ...part, mesh, model: gathered(model, part.vertices) };
}

/** Values of a template's vertices at those of a part. */
export function gathered(values: Float32Array, vertices: Uint32Array): Float32Array {
  return Float32Array.from({ length: 3 * vertices.length }, (_, i) => values[3 * vertices[i / 3 | 0]! + i % 3]!);
}

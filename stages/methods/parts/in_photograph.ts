/** Meshes in the pixels of their photographs. */
import { type CropTransform, toPhotograph } from "../../../face/crop.ts";

/** Vertices of a crop, in pixels of its photograph [3·V]. */
export function inPhotograph(vertices: Float32Array, transform: CropTransform): Float32Array {
  const moved = vertices.slice();
  for (let i = 0; i < vertices.length; i += 3) {
    const { x, y } = toPhotograph(transform, { x: vertices[i]!, y: vertices[i + 1]! });
    moved.set([x, y, vertices[i + 2]! / transform.scale], i);
  }
  return moved;
}

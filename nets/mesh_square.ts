/** The square around a face mesh that a recognition network is shown. */
import { type Box, squareAround } from "./resample_taps.ts";

/**
 * The square around a mesh that a recognition network is shown.
 *
 * @param vertices xyz triples in pixels
 * @param margin side over the longer side of the mesh's box
 */

export function meshSquare(vertices: Float32Array, margin: number): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < vertices.length; i += 3) {
    left = Math.min(left, vertices[i]!);
    right = Math.max(right, vertices[i]!);
    top = Math.min(top, vertices[i + 1]!);
    bottom = Math.max(bottom, vertices[i + 1]!);
  }
  return squareAround({ left, top, width: right - left, height: bottom - top }, margin);
}

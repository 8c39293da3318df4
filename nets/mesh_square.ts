/** The square around a face mesh that a recognition network is shown. */
import { boundsOf } from "../face/bounds.ts";
import { type Box, squareAround } from "./resample_taps.ts";

/**
 * The square around a mesh that a recognition network is shown.
 *
 * @param vertices xyz triples in pixels
 * @param margin side over the longer side of the mesh's box
 */
export function meshSquare(vertices: Float32Array, margin: number): Box {
  const { left, top, right, bottom } = boundsOf(vertices);
  return squareAround({ left, top, width: right - left, height: bottom - top }, margin);
}

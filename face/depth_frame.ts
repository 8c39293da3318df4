/** Where a posed mesh lies in the depth map that decides which of its texels are hidden. */
import { boundsOf } from "./bounds.ts";

/** Side of the depth map in pixels. */
const DEPTH_SIZE = 448;

/**
 * How a mesh lies in its depth map of `side`²: (x − left)·scale, (y − top)·scale, z·scale. No vertex is within 2 pixels
 * of the border.
 */
export interface DepthFrame {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
  readonly side: number;
}

/** The frame of a mesh. */
export function frameOf(vertices: Float32Array): DepthFrame {
  const { left, top, right, bottom } = boundsOf(vertices);
  const scale = (DEPTH_SIZE - 4) / Math.max(right - left, bottom - top, 1e-6);
  return { left: left - 2 / scale, top: top - 2 / scale, scale, side: DEPTH_SIZE };
}

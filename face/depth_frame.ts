/** Where a posed mesh lies in the depth map that decides which of its texels are hidden. */

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
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < vertices.length; i += 3) {
    left = Math.min(left, vertices[i]!);
    right = Math.max(right, vertices[i]!);
    top = Math.min(top, vertices[i + 1]!);
    bottom = Math.max(bottom, vertices[i + 1]!);
  }
  const scale = (DEPTH_SIZE - 4) / Math.max(right - left, bottom - top, 1e-6);
  return { left: left - 2 / scale, top: top - 2 / scale, scale, side: DEPTH_SIZE };
}

/** The lens of a photograph's camera. FaceScape's photographs come distorted; face/undistort.ts straightens them. */

import type { Camera } from "./facescape.ts";

/** Whether a camera's lens distorts at all. */
export function isDistorted({ distortion }: Pick<Camera, "distortion">): boolean {
  return distortion.some((value) => value !== 0);
}

/** The camera of the photograph after it was resized by a factor. */
export function scaleCamera(camera: Camera, factor: number): Camera {
  const [[fx = 1, skew = 0, cx = 0] = [], [, fy = 1, cy = 0] = []] = camera.k;
  return {
    ...camera,
    k: [[fx * factor, skew * factor, (cx + 0.5) * factor - 0.5], [0, fy * factor, (cy + 0.5) * factor - 0.5], [
      0,
      0,
      1,
    ]],
    width: Math.round(camera.width * factor),
    height: Math.round(camera.height * factor),
  };
}

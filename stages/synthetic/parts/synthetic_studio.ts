/** The camera of `synthesize`: which pixel each point of a head falls on. */
import type { HeadAngles } from "../../../nets/head_pose.ts";
import type { Camera } from "../../data/parts/facescape.ts";
import { extrinsics } from "../../data/parts/facescape.ts";

/** Distance of the camera from the head, millimetres. */
const DISTANCE = 1200;

/** The camera that shows the head at some angles, in FaceScape's terms. */
export function cameraFor(
  angles: HeadAngles,
  { side, offset }: { side: number; offset: readonly [number, number] },
): Camera {
  // A head fills about half of the picture.
  const focal = 4.7 * side;
  const centre = (side - 1) / 2;
  return {
    k: [[focal, 0, centre + offset[0] * side], [0, focal, centre + offset[1] * side], [0, 0, 1]],
    rt: extrinsics(angles, DISTANCE),
    distortion: [0, 0, 0, 0, 0],
    width: side,
    height: side,
    valid: true,
  };
}

/**
 * World points to pixels with centres at +0.5 (OpenCV's are at whole numbers); z stays the distance from the camera.
 */
export function project(points: Float32Array, { k, rt }: Camera): Float32Array {
  const out = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = rt.map((row) =>
      row[0]! * points[i]! + row[1]! * points[i + 1]! + row[2]! * points[i + 2]! + row[3]!
    ) as [number, number, number];
    out[i] = k[0]![0]! * x / z + k[0]![2]! + 0.5;
    out[i + 1] = k[1]![1]! * y / z + k[1]![2]! + 0.5;
    out[i + 2] = z;
  }
  return out;
}

/**
 * World points as a posed mesh: pixels (x right, y down) and depth (away, from the points' mean) in the pixels of that
 * depth.
 */
export function posedMesh(points: Float32Array, camera: Camera): Float32Array {
  const posed = project(points, camera);
  const depth = 3 * posed.reduce((sum, value, i) => i % 3 === 2 ? sum + value : sum, 0) / posed.length;
  const pixels = camera.k[0]![0]! / depth;
  return posed.map((value, i) => i % 3 === 2 ? pixels * (value - depth) : value);
}

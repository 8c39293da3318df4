/** DECA's camera as plain loops in double precision: the reference of deca_camera.ts. */

/**
 * Points of one head in pixels of the crop.
 *
 * @param points xyz triples
 * @param options.camera scale, right, up
 * @param options.size side of the crop in pixels
 */
export function projectDecaCpu(
  points: ArrayLike<number>,
  { camera, size }: { camera: ArrayLike<number>; size: number },
): Float64Array {
  const [scale, right, up] = [camera[0]!, camera[1]!, camera[2]!];
  const half = size / 2;
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    out[i] = half + half * scale * (points[i]! + right);
    out[i + 1] = half - half * scale * (points[i + 1]! + up);
    out[i + 2] = -half * scale * points[i + 2]!;
  }
  return out;
}

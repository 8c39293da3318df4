/**
 * The reference of undistort.ts: OpenCV's five-coefficient model in plain loops over one photograph. Tests and
 * benchmarks alone use it.
 */
import { addBilinear, createImage, type RgbImage } from "./image.ts";
import type { Lens } from "./undistort.ts";

/**
 * Maps an ideal pixel to where the lens put it.
 *
 * @param camera K and distortion; pixel centres at whole numbers, as in OpenCV
 */
export function distort(
  camera: Lens,
  { x, y }: { x: number; y: number },
): { x: number; y: number } {
  const [[fx = 1, skew = 0, cx = 0] = [], [, fy = 1, cy = 0] = []] = camera.k;
  const [k1 = 0, k2 = 0, p1 = 0, p2 = 0, k3 = 0] = camera.distortion;
  const v = (y - cy) / fy;
  const u = (x - cx - skew * v) / fx;
  const r2 = u * u + v * v;
  const radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3));
  const du = u * radial + 2 * p1 * u * v + p2 * (r2 + 2 * u * u);
  const dv = v * radial + p1 * (r2 + 2 * v * v) + 2 * p2 * u * v;
  return { x: fx * du + skew * dv + cx, y: fy * dv + cy };
}

/**
 * The photograph as a pinhole camera with the same K would have taken it: bilinear, black where the lens saw nothing.
 */
export function undistort(image: RgbImage, camera: Lens): RgbImage {
  const result = createImage(image);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const from = distort(camera, { x, y });
      if (!(from.x > -1 && from.y > -1 && from.x < image.width && from.y < image.height)) continue;
      addBilinear(image, {
        x: from.x + 0.5,
        y: from.y + 0.5,
        weight: 1,
        out: result.data,
        at: 3 * (y * image.width + x),
      });
    }
  }
  return result;
}

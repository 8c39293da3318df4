/**
 * The reference of turned_squares.ts, plain loops over one square, as the mesh network reads it: 2×2 samples a pixel.
 * Tests and benchmarks alone use it.
 */
import { addBilinear, createImage, type RgbImage } from "../face/image.ts";
import { FACEMESH_SIZE as SIZE } from "./facemesh.ts";
import type { Square } from "./facemesh_tracking.ts";

/** The square, upright [192, 192]; outside of the image its edge goes on. */
export function cutSquare(image: RgbImage, { x, y, side, angle }: Square): RgbImage {
  const cut = createImage({ width: SIZE, height: SIZE });
  const [cos, sin] = [Math.cos(angle) * side / SIZE, Math.sin(angle) * side / SIZE];
  for (let i = 0; i < SIZE * SIZE; i++) {
    for (let s = 0; s < 4; s++) {
      const u = i % SIZE + 0.25 + 0.5 * (s % 2) - SIZE / 2;
      const v = Math.floor(i / SIZE) + 0.25 + 0.5 * (s >> 1) - SIZE / 2;
      addBilinear(image, {
        x: x + cos * u - sin * v,
        y: y + sin * u + cos * v,
        weight: 0.25,
        out: cut.data,
        at: 3 * i,
      });
    }
  }
  return cut;
}

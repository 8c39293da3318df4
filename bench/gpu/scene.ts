/**
 * One triplet of the right sizes (UV maps of 256², crops of 224², three views), drawn from a seed: a head of about as
 * many triangles as the face mesh, turned.
 */

import { createImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { renderOperator } from "../../face/render.ts";
import { unwrapCpu } from "../../face/unwrap_cpu.ts";
import { meshSquare } from "../../nets/mesh_square.ts";
import { uniform } from "../../nets/random.ts";
import type { TrainingView } from "../../nets/triplet_loss.ts";
import { gridHead } from "../../test/face/head.ts";

/** Side of the crop in pixels. */
export const CROP = 224;
/** Side of the UV map in texels. */
export const SIZE = 256;
/** Length of the expression and pose of a face. */
export const CODE_LENGTH = 15;

/** Vertices of a head in a crop. */
export function posed(model: Float32Array, yaw: number): Float32Array {
  const rotation = rotationFromAngles({ yaw, pitch: 5, roll: -3 });
  return poseToCrop({ scale: 85, rotation, translation: Float64Array.of(112, -112, 0) }, model);
}

/** A photograph of smooth colours and some noise. */
export function picture(seed: number, side = CROP): Float32Array {
  const random = uniform(seed);
  const phases = Array.from({ length: 6 }, () => 6 * random());
  return Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % side / side, Math.floor(i / 3 / side) / side];
    return 0.5 + 0.2 * Math.sin(9 * x + phases[c]!) + 0.2 * Math.sin(7 * y + phases[c + 3]!) + 0.1 * (random() - 0.5);
  });
}

/** The three views of one triplet. */
export function tripletViews(): TrainingView[] {
  const { topology, model } = gridHead(21);
  const views: TrainingView[] = [];
  for (const [v, yaw] of [-35, 0, 35].entries()) {
    const vertices = posed(model, yaw);
    const photograph = picture(v + 1);
    const image = createImage({ width: CROP, height: CROP }, photograph);
    const operator = renderOperator(vertices, { topology, size: SIZE });
    const face = meshSquare(vertices, 1);
    views.push({
      ...unwrapCpu([{ image, vertices }], { topology, size: SIZE })[0]!,
      shading: new Float32Array(3 * SIZE * SIZE).fill(0.9),
      albedo: picture(10, SIZE),
      guess: picture(v + 20, SIZE),
      code: new Float32Array(CODE_LENGTH).fill(0.1 * v),
      photograph,
      operator,
      coverage: operator.coverage,
      face,
    });
  }
  return views;
}

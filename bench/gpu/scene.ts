/**
 * One triplet of the right sizes (UV maps of 256², crops of 224², three views), drawn from a seed: a head of about as
 * many triangles as the face mesh, turned.
 */

import { createImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { unwrapCpu } from "../../face/unwrap_cpu.ts";
import { meshSquare } from "../../nets/mesh_square.ts";
import { uniform } from "../../nets/random.ts";
import type { TrainingView } from "../../nets/device_triplet.ts";
import { toBytes } from "../../stages/faces/photograph.ts";
import { ambientLight } from "../../test/face/ambient_light.ts";
import { gridHead } from "../../test/face/head.ts";
import type { AlbedoModel } from "../../face/morphable.ts";
import type { Topology } from "../../face/topology.ts";

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

/** The three views of one triplet, the mesh that they show, and the model of its albedo. */
export function tripletViews(): { views: TrainingView[]; topology: Topology; albedo: AlbedoModel } {
  const { topology, model } = gridHead(21);
  const views = [-35, 0, 35].map((yaw, v): TrainingView => {
    const vertices = posed(model, yaw);
    const image = createImage({ width: CROP, height: CROP }, picture(v + 1));
    const { texture, visibility } = unwrapCpu([{ image, vertices }], { topology, size: SIZE })[0]!;
    return {
      texture: toBytes(texture),
      visibility: toBytes(visibility),
      albedo: new Float32Array(),
      guess: toBytes(picture(v + 20, SIZE)),
      code: new Float32Array(CODE_LENGTH).fill(0.1 * v),
      light: ambientLight().map((value) => 0.9 * value),
      vertices,
      photograph: toBytes(image.data),
      face: meshSquare(vertices, 1),
    };
  });
  // A model without components, whose mean is everybody's albedo.
  const albedo = { albedoMean: picture(10, SIZE), albedoBasis: new Float32Array(), albedoSigma: new Float32Array() };
  return { views, topology, albedo };
}

/**
 * What "upright and looking straight at the viewer" means for a mesh on its own, from nothing but its mirror symmetry
 * and its midline. This fixes the axes of model space, and so where yaw, pitch and roll are zero.
 */
import { midlineEnds, type SymmetricTopology } from "./topology.ts";
import type { Pose } from "./pose.ts";

/**
 * The pose of a mesh given in view space: x runs between mirror twins (from image-left to image-right when frontal), y
 * from chin to forehead along the midline, z out of the face. The origin is the centroid and the scale the root mean
 * square distance of the vertices from it.
 *
 * In MediaPipe's canonical face the forehead-chin line is vertical to 0.7°, so zero pitch agrees with it.
 */
export function canonicalFrame(vertices: Float32Array, topology: SymmetricTopology): Pose {
  const count = topology.vertexCount;
  const centre = new Float64Array(3);
  for (let i = 0; i < 3 * count; i++) centre[i % 3] = centre[i % 3]! + vertices[i]! / count;
  let spread = 0;
  for (let i = 0; i < 3 * count; i++) spread += (vertices[i]! - centre[i % 3]!) ** 2;
  const across = new Float64Array(3);
  topology.mirror.forEach((twin, i) => {
    if (topology.uvs[2 * i]! <= topology.uvs[2 * twin]!) return;
    for (let k = 0; k < 3; k++) across[k] = across[k]! + vertices[3 * i + k]! - vertices[3 * twin + k]!;
  });
  const { top, bottom } = midlineEnds(topology);
  const up = Float64Array.from([0, 1, 2], (k) => vertices[3 * top + k]! - vertices[3 * bottom + k]!);
  const x = unit(across);
  const along = x[0]! * up[0]! + x[1]! * up[1]! + x[2]! * up[2]!;
  const y = unit(up.map((value, k) => value - along * x[k]!));
  const z = [x[1]! * y[2]! - x[2]! * y[1]!, x[2]! * y[0]! - x[0]! * y[2]!, x[0]! * y[1]! - x[1]! * y[0]!];
  const rotation = Float64Array.of(x[0]!, y[0]!, z[0]!, x[1]!, y[1]!, z[1]!, x[2]!, y[2]!, z[2]!);
  return { scale: Math.sqrt(spread / count), rotation, translation: centre };
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector);
  if (!(length > 0)) throw new RangeError("The mesh has no frame: its mirror twins or its midline ends coincide");
  return vector.map((value) => value / length);
}

/**
 * The comparator Chen (Chen, Chen, Ren, Li, Xia 2020): nets/chen_regressor.ts, which states crop, networks, geometry,
 * camera and light, in the form that all comparators have. The coarse faces are drawn over their crops, as much of them
 * as the authors draw, and the detail network looks at that. The detailed faces are what is given: they are what the
 * paper is named for, and what the authors' own test script (`run_test.sh`) asks their program for.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { readBack } from "@ftim/gpu/ops/read-back";
import { CHEN_CROP } from "../../face/chen_faces.ts";
import { cropInPhotograph } from "../../face/crop.ts";
import { drawMeshes } from "../../face/draw_meshes.ts";
import { bilinearCrops } from "../bilinear_crop.ts";
import type { ChenRegressor } from "../chen_regressor.ts";
import { type Comparator, FARTHEST } from "./comparator.ts";

/**
 * The comparator of an open regressor, which it disposes of.
 *
 * @throws {TypeError} if the regressor was opened without the files of the detail
 */
export function chenComparator(tf: Tfjs, regressor: ChenRegressor): Comparator {
  const { mesh, detail } = regressor;
  if (detail === undefined) throw new TypeError("Chen's regressor was opened without its detail");
  const drawn = drawnTriangles(mesh);
  return {
    topology: { triangles: detail.triangles },
    size: CHEN_CROP,
    crop(tf, faces) {
      const placed = faces.map(({ image, face }) => ({ image, transform: regressor.place(face.box, image) }));
      return {
        crops: bilinearCrops(tf, placed, { size: CHEN_CROP }),
        parts: placed.map(({ transform }) => cropInPhotograph(transform)),
      };
    },
    async reconstruct(crops) {
      const { code, ...coarse } = regressor.reconstruct(crops);
      try {
        const [values] = await readBack([tf.clone(coarse.vertices)], "chen");
        const length = values!.length / crops.shape[0];
        const meshes = Array.from({ length: crops.shape[0] }, (_, i) => {
          return drawable(values!.subarray(length * i, length * (i + 1)));
        });
        return tf.tidy(() => {
          const over = tf.add(crops, 0) as tfjs.Tensor4D;
          const pictures = drawMeshes(tf, meshes, { triangles: drawn, colours: coarse.colours, over });
          return detail.reconstruct(crops, { coarse: { ...coarse, code }, drawn: pictures });
        });
      } finally {
        tf.dispose([...Object.values<tfjs.Tensor>(coarse), ...Object.values<tfjs.Tensor>(code)]);
      }
    },
    dispose: () => regressor.dispose(),
  };
}

/**
 * A mesh that lies nowhere near its crop as one point, which draws nothing: it must not keep the other faces from being
 * drawn. Its own vertices stay what they are, by which it is known as no face.
 */
function drawable(mesh: Float32Array): Float32Array {
  return mesh.every((value) => Math.abs(value) < FARTHEST) ? mesh : new Float32Array(mesh.length);
}

/** The triangles that the authors draw by half at least: a mask of theirs leaves out neck and ears. */
function drawnTriangles({ triangles, mask }: ChenRegressor["mesh"]): Uint32Array {
  const kept: number[] = [];
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t]!, triangles[t + 1]!, triangles[t + 2]!];
    if (corners.every((vertex) => mask[vertex]! >= 0.5)) kept.push(...corners);
  }
  return Uint32Array.from(kept);
}

/**
 * The comparator Chen (Chen, Chen, Ren, Li, Xia 2020): nets/chen_regressor.ts, which states crop, networks, geometry,
 * camera and light, in the form that all comparators have. With the files of the detail the coarse faces are drawn over
 * their crops, which is what the detail network looks at, and the detailed faces are what is given; without them the
 * coarse ones are, as much of them as the authors draw.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { readBack } from "@ftim/gpu/ops/read-back";
import { CHEN_CROP } from "../../face/chen_faces.ts";
import { cropInPhotograph } from "../../face/crop.ts";
import { drawMeshes } from "../../face/draw_meshes.ts";
import { bilinearCrops } from "../bilinear_crop.ts";
import type { ChenRegressor } from "../chen_regressor.ts";
import type { Comparator } from "./comparator.ts";

/** The comparator of an open regressor, which it disposes of. */
export function chenComparator(tf: Tfjs, regressor: ChenRegressor): Comparator {
  const { mesh, detail } = regressor;
  const drawn = drawnTriangles(mesh);
  return {
    topology: { triangles: detail?.triangles ?? drawn },
    size: CHEN_CROP,
    crop(tf, faces) {
      const placed = faces.map(({ image, face }) => ({ image, transform: regressor.place(face.box, image) }));
      return {
        crops: bilinearCrops(tf, placed, { size: CHEN_CROP }),
        parts: placed.map(({ transform }) => cropInPhotograph(transform)),
      };
    },
    async reconstruct(crops) {
      const { code, space, albedo, ...coarse } = regressor.reconstruct(crops);
      const others = [space, albedo, ...Object.values<tfjs.Tensor>(code)];
      try {
        if (detail === undefined) return coarse;
        const [values] = await readBack([tf.clone(coarse.vertices)], "chen");
        const length = values!.length / crops.shape[0];
        const meshes = Array.from({ length: crops.shape[0] }, (_, i) => values!.subarray(length * i, length * (i + 1)));
        others.push(...Object.values(coarse));
        return tf.tidy(() => {
          const over = tf.add(crops, 0) as tfjs.Tensor4D;
          const pictures = drawMeshes(tf, meshes, { triangles: drawn, colours: coarse.colours, over });
          return detail.reconstruct(crops, { coarse: { ...coarse, space, albedo, code }, drawn: pictures });
        });
      } finally {
        tf.dispose(others);
      }
    },
    dispose: () => regressor.dispose(),
  };
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

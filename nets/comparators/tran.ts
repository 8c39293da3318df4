/**
 * The comparator Tran (Tran and Liu 2018; Tran, Liu and Liu 2019): nets/tran_regressor.ts, which states crop, network,
 * geometry, camera and light, in the form that all comparators have. The crop is resampled plainly, for no recipe is
 * published. Its 53,215 vertices lie closer than the pixels, so their colours are drawn and not the authors' chart.
 */
import type { Tfjs } from "@ftim/gpu/tfjs";
import { cropInPhotograph } from "../../face/crop.ts";
import { bilinearCrops } from "../bilinear_crop.ts";
import { TRAN_SIZE } from "../tran_network.ts";
import type { TranRegressor } from "../tran_regressor.ts";
import type { Comparator } from "./comparator.ts";

/** The comparator of an open regressor, which it disposes of. */
export function tranComparator(tf: Tfjs, regressor: TranRegressor): Comparator {
  return {
    topology: { triangles: regressor.mesh.triangles },
    size: TRAN_SIZE,
    crop(tf, faces) {
      const placed = faces.map(({ image, face }) => ({ image, transform: regressor.place(face.box, image) }));
      return {
        crops: bilinearCrops(tf, placed, { size: TRAN_SIZE }),
        parts: placed.map(({ transform }) => cropInPhotograph(transform)),
      };
    },
    reconstruct: (crops) =>
      tf.tidy(() => {
        const { vertices, colours } = regressor.reconstruct(crops);
        return { vertices, colours };
      }),
    dispose: () => regressor.dispose(),
  };
}

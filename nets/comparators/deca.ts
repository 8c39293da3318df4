/**
 * The comparator DECA (Feng, Feng, Black, Bolkart 2021), the authors' `decalib`:
 *
 * | what | how |
 * |---|---|
 * | crop | around MTCNN's box, bilinear, 224²: their second detector (face/crop.ts, nets/bilinear_crop.ts) |
 * | network | ResNet-50 to 236 numbers; RGB, 0..1, not normalised (nets/deca_encoder.ts) |
 * | geometry | 5,023 vertices of FLAME, coarse: without the displacement of the detail network (face/flame.ts) |
 * | camera | orthographic, scale and shift (face/deca_camera.ts) |
 * | light | nine bands on the normals of the posed head, not of the picture (face/light.ts, `add_SHlight`) |
 * | colours | albedo in FLAME's chart, 256², times light; sRGB values as stored (nets/flame_albedo_file.ts) |
 *
 * Two things differ. Light is on the vertices and interpolated, where the authors interpolate normals. And it is there
 * at all: their `decode` draws the albedo alone if it is not told otherwise, which nobody would compare with
 * photographs.
 *
 * Files: `deca_model.tar`, `generic_model.pkl`, `landmark_embedding.npy`, `head_template.obj`,
 * `FLAME_albedo_from_BFM.npz`.
 */
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { cropInPhotograph, decaCrop } from "../../face/crop.ts";
import { uploadRings } from "../../face/ring_normals.ts";
import { shadeTensor } from "../../face/shade_tensor.ts";
import { bilinearCrops } from "../bilinear_crop.ts";
import { type DecaFiles, type DecaRegressor, openDecaRegressor } from "../deca_regressor.ts";
import { RESNET50_SIZE } from "../resnet50.ts";
import type { Comparator } from "./comparator.ts";

/**
 * Opens the comparator.
 *
 * @throws {TensorFileError} if a file is damaged or holds something else
 * @throws {SyntaxError} if the template is no mesh of triangles with a chart
 * @throws {RangeError} if the template is not of the model's size
 */
export async function openDeca(files: Required<DecaFiles>): Promise<Comparator> {
  return decaComparator(await openTfjs(), await openDecaRegressor(files));
}

/**
 * The comparator of an open regressor, which it disposes of.
 *
 * @param regressor one with an albedo
 */
export function decaComparator(tf: Tfjs, regressor: Omit<DecaRegressor, "regress" | "toChart">): Comparator {
  const { triangles, uvs, uvTriangles } = regressor.mesh;
  const rings = uploadRings(tf, regressor.mesh, { weights: "area" });
  return {
    topology: { triangles, chart: { uvs, uvTriangles } },
    size: RESNET50_SIZE,
    crop(tf, faces) {
      const placed = faces.map(({ image, face }) => ({ image, transform: decaCrop(face.box, { photograph: image }) }));
      return {
        crops: bilinearCrops(tf, placed, { size: RESNET50_SIZE }),
        parts: placed.map(({ transform }) => cropInPhotograph(transform)),
      };
    },
    reconstruct: (crops) =>
      tf.tidy(() => {
        const { code, vertices, posed, albedo } = regressor.regressCrops(crops);
        const colours = shadeTensor(tf, rings.normals(vertices), code.light);
        if (albedo === undefined) throw new TypeError("DECA's regressor was opened without its albedo");
        return { vertices: posed, colours: colours as typeof vertices, texture: albedo };
      }),
    dispose() {
      rings.dispose();
      regressor.dispose();
    },
  };
}

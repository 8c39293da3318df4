/**
 * Chen et al. 2020 as a whole: crops of a batch become faces in the crop, with the authors' geometry, camera and light;
 * coarse ones, and from those detailed ones.
 *
 * | what | how |
 * |---|---|
 * | crop | about the landmarks' box, 300² (face/chen_crop.ts); the network of their 86 landmarks is not read |
 * | networks | VGG-Face, RGB, 0..255, no mean subtracted (chen_encoder.ts); a U-Net in the chart (chen_detail.ts) |
 * | geometry | the Basel Face Model 2009, 80 components of shape, 29 of expression (face/chen_faces.ts) |
 * | camera | orthographic, in pixels of the crop |
 * | light | nine bands a colour on the turned normals, 0.3 of the first two to begin with |
 * | colours | albedo of the vertices, 80 components, times light; sRGB values as stored |
 */
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { chenCrop } from "../face/chen_crop.ts";
import { type ChenDetailFaces, type ChenDetailMesh, uploadChenDetail } from "../face/chen_detail_faces.ts";
import { CHEN_CROP, type ChenFaces, type ChenMesh, uploadChen } from "../face/chen_faces.ts";
import type { CropTransform, Rectangle } from "../face/crop.ts";
import { landmarkBox } from "../face/landmark_box.ts";
import { type ChenChartFiles, readChenChart } from "./chen_chart_file.ts";
import { openChenDetail } from "./chen_detail.ts";
import { type ChenCode, openChenEncoder } from "./chen_encoder.ts";
import { readChenModel } from "./chen_face_model.ts";
import type { TensorSource } from "./files/source.ts";

/** The authors' files. */
export interface ChenFiles {
  /** The `.index` of the coarse checkpoint. */
  readonly coarse: TensorSource;
  /** `BFM2009_Model.mat` */
  readonly model: TensorSource;
  /** Of the detail; without it there are coarse faces alone. */
  readonly detail?: Omit<ChenChartFiles, "model"> & {
    /** The `.index` of the fine checkpoint. */
    readonly network: TensorSource;
  };
}

/** Coarse faces and the code they are made of. A type and no interface, so that `tf.tidy` takes it. */
export type ChenCoarse = ChenFaces & { readonly code: ChenCode };

/** Makes detailed faces of coarse ones. */
export interface ChenDetailer extends Pick<ChenDetailMesh, "triangles"> {
  /**
   * @param crops `[B, 300, 300, 3]`, RGB, 0..1
   * @param options.coarse what was made of them
   * @param options.drawn `[B, 300, 300, 3]`: the crops with the coarse faces drawn over them
   */
  reconstruct(crops: tfjs.Tensor4D, options: { coarse: ChenCoarse; drawn: tfjs.Tensor4D }): ChenDetailFaces;
}

/** An open regressor. */
export interface ChenRegressor {
  /** Triangles of all coarse faces, and how much of each vertex the authors draw. */
  readonly mesh: Pick<ChenMesh, "triangles" | "mask">;
  /**
   * Places the crop of a face.
   *
   * @param box a detector's, in pixels of the photograph
   * @throws {FaceCropError} if the box is empty
   */
  place(box: Rectangle, photograph: CropTransform["photograph"]): CropTransform;
  /** @param x `[B, 300, 300, 3]`, RGB, 0..1 */
  reconstruct(x: tfjs.Tensor4D): ChenCoarse;
  /** Undefined where the files of the detail were not given. */
  readonly detail: ChenDetailer | undefined;
  dispose(): void;
}

/**
 * Opens the regressor.
 *
 * @throws {TensorFileError} if a file is damaged or of another kind
 */
export async function openChenRegressor({ coarse, model: modelFile, detail }: ChenFiles): Promise<ChenRegressor> {
  const tf = await openTfjs();
  const model = await readChenModel(modelFile);
  const { triangles } = model;
  const chart = detail && await readChenChart({ ...detail, model: modelFile }, {
    triangles,
    vertexCount: model.mean.length / 3,
  });
  const encoder = await openChenEncoder(coarse);
  const network = detail && await openChenDetail(detail.network);
  const mesh = uploadChen(tf, model);
  const fine = chart && uploadChenDetail(tf, model, chart);
  return {
    mesh,
    place: (box, photograph) => chenCrop(landmarkBox(box), { size: CHEN_CROP, photograph }),
    reconstruct: (x) =>
      tf.tidy((): ChenCoarse => {
        const code = encoder.encode(x);
        return { ...mesh.faces(code), code };
      }),
    detail: network && fine && {
      triangles: fine.triangles,
      reconstruct: (crops, { coarse, drawn }) =>
        tf.tidy((): ChenDetailFaces => {
          const [photograph, render] = [crops, drawn].map((pictures) => fine.unwrap(pictures, coarse.vertices));
          const { pose, light } = coarse.code;
          return fine.faces(network.displacements(photograph!, render!), { coarse, pose, light });
        }),
    },
    dispose() {
      encoder.dispose();
      mesh.dispose();
      network?.dispose();
      fine?.dispose();
    },
  };
}

/**
 * The comparator Deng (Deng, Yang, Xu, Chen, Jia, Tong 2019), the authors' PyTorch version `Deep3DFaceRecon_pytorch`:
 *
 * | what | how |
 * |---|---|
 * | crop | five points to a standard face's, Pillow's bicubic, 224² (face/deng_crop.ts, nets/cubic_crop.ts) |
 * | network | ResNet-50 to 257 numbers; RGB, 0..1, not normalised (nets/deng_encoder.ts) |
 * | geometry | 35,709 vertices of the Basel Face Model 2009: 80 components of identity, 64 of expression |
 * | camera | perspective, focal length 1015, centre 112, ten units away (face/deng_camera.ts) |
 * | light | nine bands a colour, order and constants of their `SH`, and 0.8 of the first (face/deng_face.ts) |
 * | colours | albedo of the vertices, 80 components, 0..255 over 255, times light; sRGB values as stored |
 *
 * Files: `epoch_20.pth`, `BFM_model_front.mat`, `similarity_Lm3D_all.mat`.
 */
import { openTfjs } from "@ftim/gpu/tfjs";
import { dengCrop } from "../../face/deng_crop.ts";
import { uploadBfm } from "../../face/deng_face.ts";
import { readBfmFront, readStandardPoints } from "../bfm_front_file.ts";
import { cubicCrops } from "../cubic_crop.ts";
import { openDengEncoder } from "../deng_encoder.ts";
import type { TensorSource } from "../files/source.ts";
import { RESNET50_SIZE } from "../resnet50.ts";
import type { Comparator } from "./comparator.ts";

/** The authors' files. */
export interface DengFiles {
  /** `epoch_20.pth` */
  readonly encoder: TensorSource;
  /** `BFM_model_front.mat` */
  readonly model: TensorSource;
  /** `similarity_Lm3D_all.mat` */
  readonly standard: TensorSource;
}

/**
 * Opens the comparator.
 *
 * @throws {TensorFileError} if a file is damaged or holds something else
 */
export async function openDeng(files: DengFiles): Promise<Comparator> {
  const tf = await openTfjs();
  const standard = await readStandardPoints(files.standard);
  const model = await readBfmFront(files.model);
  const encoder = await openDengEncoder(files.encoder);
  const bfm = uploadBfm(tf, model);
  return {
    topology: { triangles: model.triangles },
    size: RESNET50_SIZE,
    crop(tf, faces) {
      const placed = faces.map(({ image, face }) => ({
        image,
        crop: dengCrop(face.points, { standard, photograph: image }),
      }));
      return { crops: cubicCrops(tf, placed, { size: RESNET50_SIZE }), parts: placed.map(({ crop }) => crop.part) };
    },
    reconstruct: (crops) => tf.tidy(() => bfm.faces(encoder.encode(crops))),
    dispose() {
      encoder.dispose();
      bfm.dispose();
    },
  };
}

/**
 * DECA as a regressor (Feng et al. 2021, `DECA.encode` and the geometry of `DECA.decode`): crops of a batch become
 * FLAME's parameters, the head in space and in the crop, its landmarks, its light and its template albedo. All of it
 * stays on the device.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs } from "@ftim/gpu/tfjs";
import { projectDeca } from "../face/deca_camera.ts";
import { uploadFlame } from "../face/flame.ts";
import { bilinearCrops, type CroppedPhotograph } from "./bilinear_crop.ts";
import { type DecaCode, openDecaEncoder, splitDecaCode } from "./deca_encoder.ts";
import type { TensorSource } from "./files/source.ts";
import { readFlameAlbedo } from "./flame_albedo_file.ts";
import { readFlame } from "./flame_file.ts";
import { readFlameLandmarks } from "./flame_landmarks_file.ts";
import { RESNET50_SIZE } from "./resnet50.ts";

/** The authors' files. */
export interface DecaFiles {
  /** `deca_model.tar` */
  readonly encoder: TensorSource;
  /** `generic_model.pkl` */
  readonly flame: TensorSource;
  /** `landmark_embedding.npy` */
  readonly landmarks: TensorSource;
  /** `FLAME_albedo_from_BFM.npz`, which not everybody has: without it there is no template albedo. */
  readonly albedo?: TensorSource;
}

/** What is known of the faces of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type DecaFaces = {
  /** The 236 numbers of each face. */
  readonly code: DecaCode;
  /** `[B, 5023, 3]`: metres, posed; the light is on the normals of these. x right, y up, z to the viewer. */
  readonly vertices: tfjs.Tensor3D;
  /** `[B, 5023, 3]`: pixels of the crop, x right, y down, z away; centres at +0.5. */
  readonly posed: tfjs.Tensor3D;
  /** `[B, 68, 3]`: pixels of the crop; the contour is the one that is seen. */
  readonly landmarks: tfjs.Tensor3D;
  /** `[B, 68, 3]`: pixels of the crop, on fixed places of the head. */
  readonly fixedLandmarks: tfjs.Tensor3D;
  /** `[B, 256, 256, 3]`: RGB about 0..1, in FLAME's chart; undefined without the albedo's file. */
  readonly albedo: tfjs.Tensor4D | undefined;
};

/** An open regressor. */
export interface DecaRegressor {
  /**
   * @param photographs with a crop of each face, cut out as the authors do it
   * @throws {RangeError} as `bilinearCrops` does
   */
  regress(photographs: readonly CroppedPhotograph[]): DecaFaces;
  /**
   * @param x `[B, 224, 224, 3]`, RGB, 0..1: crops as `decaCrop` or `decaLandmarkCrop` places them
   */
  regressCrops(x: tfjs.Tensor4D): DecaFaces;
  dispose(): void;
}

/**
 * Opens the regressor.
 *
 * @throws {TensorFileError} if a file is damaged or is another
 */
export async function openDecaRegressor(files: DecaFiles): Promise<DecaRegressor> {
  const tf = await openTfjs();
  const model = await readFlame(files.flame);
  const landmarks = await readFlameLandmarks(files.landmarks, { triangles: model.triangles.length / 3 });
  const albedo = files.albedo && await readFlameAlbedo(files.albedo);
  const encoder = await openDecaEncoder(files.encoder);
  const flame = uploadFlame(tf, model, landmarks);
  const space = albedo && {
    size: albedo.size,
    filter: tf.tensor4d(albedo.components, [1, 1, albedo.components.length / albedo.mean.length, albedo.mean.length]),
    bias: tf.tensor1d(albedo.mean),
  };
  const regressCrops = (x: tfjs.Tensor4D) =>
    tf.tidy((): DecaFaces => {
      const code = splitDecaCode(tf, encoder.encode(x));
      const components = tf.concat([code.shape, code.expression], 1);
      const heads = flame.heads(components, code.pose);
      const inCrop = (points: tfjs.Tensor3D) => projectDeca(tf, points, { camera: code.camera, size: RESNET50_SIZE });
      const [batch, count] = code.albedo.shape;
      return {
        code,
        vertices: heads.vertices,
        posed: inCrop(heads.vertices),
        landmarks: inCrop(heads.landmarks),
        fixedLandmarks: inCrop(heads.fixedLandmarks),
        albedo: space === undefined
          ? undefined
          : tf.reshape(convolve(tf, tf.reshape(code.albedo, [batch, 1, 1, count]), space), [
            batch,
            space.size,
            space.size,
            3,
          ]),
      };
    });
  return {
    regressCrops,
    regress: (photographs) =>
      tf.tidy((): DecaFaces => regressCrops(bilinearCrops(tf, photographs, { size: RESNET50_SIZE }))),
    dispose() {
      encoder.dispose();
      flame.dispose();
      if (space !== undefined) tf.dispose([space.filter, space.bias]);
    },
  };
}

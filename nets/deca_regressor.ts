/**
 * DECA as a regressor (Feng et al. 2021, `DECA.encode` and the geometry of `DECA.decode`): crops of a batch become
 * FLAME's parameters, the head in space and in the crop, its landmarks, its light and its template albedo. All of it
 * stays on the device.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { disposeSparse } from "@ftim/gpu/sparse";
import { openTfjs } from "@ftim/gpu/tfjs";
import { projectDeca } from "../face/deca_camera.ts";
import { uploadFlame } from "../face/flame.ts";
import { chartMatrix, parseTemplateMesh, type TemplateMesh, toChart } from "../face/template_mesh.ts";
import { bilinearCrops, type CroppedPhotograph } from "./bilinear_crop.ts";
import { type DecaCode, openDecaEncoder, splitDecaCode } from "./deca_encoder.ts";
import type { TensorSource } from "./files/source.ts";
import { readFlameAlbedo } from "./flame_albedo_file.ts";
import { readFlame } from "./flame_file.ts";
import { readFlameLandmarks } from "./flame_landmarks_file.ts";
import { RESNET50_SIZE } from "./resnet50.ts";

/** Side of the maps in texels. */
const CHART_SIZE = 256;

/** The authors' files. */
export interface DecaFiles {
  /** `deca_model.tar` */
  readonly encoder: TensorSource;
  /** `generic_model.pkl` */
  readonly flame: TensorSource;
  /** `landmark_embedding.npy` */
  readonly landmarks: TensorSource;
  /** Text of `head_template.obj`: the mesh with its chart. */
  readonly template: string;
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
  /** The mesh of all heads. */
  readonly mesh: TemplateMesh;
  /**
   * Values of the vertices, such as places in the crop, at the texels of FLAME's chart.
   *
   * @param values `[B, 5023, C]`
   * @returns `[B, 256, 256, C]`, 0 outside of the chart
   */
  toChart(values: tfjs.Tensor3D): tfjs.Tensor4D;
  dispose(): void;
}

/**
 * Opens the regressor.
 *
 * @throws {TensorFileError} if a file is damaged or is another
 * @throws {SyntaxError} if the template is no mesh of triangles with a chart
 * @throws {RangeError} if the template is not of the model's size
 */
export async function openDecaRegressor(files: DecaFiles): Promise<DecaRegressor> {
  const tf = await openTfjs();
  const model = await readFlame(files.flame);
  const mesh = parseTemplateMesh(files.template, "FLAME's template");
  const [vertices, triangles] = [model.template.length / 3, model.triangles.length / 3];
  if (mesh.vertexCount !== vertices || mesh.triangles.length / 3 !== triangles) {
    throw new RangeError(
      `FLAME's template has ${mesh.vertexCount} vertices and ${mesh.triangles.length / 3} triangles; ` +
        `the model has ${vertices} and ${triangles}. Take head_template.obj of DECA`,
    );
  }
  const chart = chartMatrix(mesh, CHART_SIZE);
  const landmarks = await readFlameLandmarks(files.landmarks, { triangles });
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
    mesh,
    toChart: (values) => toChart(tf, chart, values),
    dispose() {
      disposeSparse(chart);
      encoder.dispose();
      flame.dispose();
      if (space !== undefined) tf.dispose([space.filter, space.bias]);
    },
  };
}

/**
 * 468 points of a face in 3-D: MediaPipe's face mesh (Kartynnik et al. 2019, "Real-time Facial Surface Geometry from
 * Monocular Video on Mobile GPUs") as the package @vladmandic/human ships it, a tfjs graph model.
 *
 * In: a square crop; 1.0 to 1.2 times the longer side of the detector's box around its centre is best (at 1.5 the mesh
 * leaves a profile). Out: x right, y down, z with the same unit, larger is farther from the camera. This file has no
 * attention heads; the eyes and lips come from the mesh itself.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { type GraphModelFiles, openGraphModel } from "./graph_model.ts";
import { resample } from "./resample.ts";

/** Number of points of the mesh. */
export const VERTEX_COUNT = 468;

const SIZE = 192;

/** The mesh of one crop. */
export interface FaceMeshResult {
  /**
   * `[468, 3]`: x right, y down, z away from the camera, all in pixels of the crop that was given (pixel centres at
   * +0.5).
   */
  vertices: Float32Array;
  /** Probability, 0..1, that the crop shows a face at the place where the network expects it. */
  score: number;
}

/** An open face mesh network. */
export interface FaceMesh {
  /**
   * The meshes of square crops, read back.
   *
   * @param x `[B, S, S, 3]` in 0..1
   */
  predict(x: tfjs.Tensor4D): Promise<FaceMeshResult[]>;
  /**
   * The same, left on the device; differentiable.
   *
   * @param x `[B, S, S, 3]` in 0..1
   * @returns `vertices` `[B, 468, 3]` in pixels of `x`, `score` `[B]`
   */
  mesh(x: tfjs.Tensor4D): { vertices: tfjs.Tensor3D; score: tfjs.Tensor1D };
  dispose(): void;
}

/**
 * Opens the network.
 *
 * @param files `models/facemesh.{json,bin}` of the package
 */
export async function openFaceMesh(files: GraphModelFiles): Promise<FaceMesh> {
  const [tf, gpu] = await Promise.all([openTfjs(), openGpu()]);
  const model = await openGraphModel(tf, files);

  function mesh(x: tfjs.Tensor4D) {
    const [batch, height, width] = x.shape;
    if (height !== width) throw new TypeError(`Cannot mesh a crop of ${width}×${height} pixels: it must be square`);
    return tf.tidy(() => {
      const input = resample(tf, x, { height: SIZE, width: SIZE });
      const [points, flag] = model.execute(input, [MESH, FLAG]) as [tfjs.Tensor, tfjs.Tensor];
      return {
        vertices: tf.mul(tf.reshape(points, [batch, VERTEX_COUNT, 3]), width / SIZE) as tfjs.Tensor3D,
        score: tf.reshape(flag, [batch]) as tfjs.Tensor1D,
      };
    });
  }

  return {
    mesh,
    async predict(x) {
      const { vertices, score } = mesh(x);
      const reads = Promise.all([vertices.data<"float32">(), score.data<"float32">()]);
      const [[points, scores]] = await Promise.all([reads, gpu.assertHealthy("the face mesh network")]);
      tf.dispose([vertices, score]);
      return Array.from(scores, (score, i) => {
        return { vertices: points.slice(i * VERTEX_COUNT * 3, (i + 1) * VERTEX_COUNT * 3), score };
      });
    },
    dispose: () => model.dispose(),
  };
}

const MESH = "Identity_2:0";
const FLAG = "Identity_1:0";

/**
 * 468 points of a face in 3-D: MediaPipe's face mesh (Kartynnik et al. 2019, "Real-time Facial Surface Geometry from
 * Monocular Video on Mobile GPUs") as the package @vladmandic/human ships it, a tfjs graph model.
 *
 * In: a square crop; 1.0 to 1.2 times the longer side of the detector's box around its centre is best (at 1.5 the mesh
 * leaves a profile). Out: x right, y down, z with the same unit, larger is farther from the camera. This file has no
 * attention heads; the eyes and lips come from the mesh itself.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { readBack } from "@ftim/gpu/ops/read-back";
import type { GraphModelFiles } from "./graph_model.ts";
import { resample } from "./resample.ts";
import { openResidualNetwork } from "./residual_network.ts";

/** Number of points of the mesh. */
export const VERTEX_COUNT = 468;

/** Side of the network's input in pixels. */
export const FACEMESH_SIZE = 192;

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
   * The meshes of square crops, read back. Not differentiable.
   *
   * @param x `[B, S, S, 3]` in 0..1
   * @throws {TypeError} if the crops are not square
   */
  predict(x: tfjs.Tensor4D): Promise<FaceMeshResult[]>;
  dispose(): void;
}

/**
 * Opens the network.
 *
 * @param files `models/facemesh.{json,bin}` of the package
 */
export async function openFaceMesh(files: GraphModelFiles): Promise<FaceMesh> {
  const tf = await openTfjs();
  const network = openResidualNetwork(tf, files, { heads: [MESH, FLAG], size: FACEMESH_SIZE });

  function predictOnDevice(x: tfjs.Tensor4D): [vertices: tfjs.Tensor, scores: tfjs.Tensor] {
    const [, height, width] = x.shape;
    if (height !== width) throw new TypeError(`Cannot mesh a crop of ${width}×${height} pixels: it must be square`);
    return tf.tidy(() => {
      const [points, flags] = network.apply(resample(tf, x, { height: FACEMESH_SIZE, width: FACEMESH_SIZE })) as [
        tfjs.Tensor2D,
        tfjs.Tensor2D,
      ];
      return [tf.mul(points, width / FACEMESH_SIZE), tf.sigmoid(tf.slice(flags, [0, 0], [-1, 1]))];
    });
  }

  return {
    async predict(x) {
      const found = predictOnDevice(x);
      const [points, scores] = await readBack(found, "the face mesh network");
      return Array.from(scores!, (score, i) => {
        return { vertices: points!.slice(i * VERTEX_COUNT * 3, (i + 1) * VERTEX_COUNT * 3), score };
      });
    },
    dispose: () => network.dispose(),
  };
}

const MESH = "StatefulPartitionedCall/model_1/conv2d_21/BiasAdd";
const FLAG = "StatefulPartitionedCall/model_1/conv2d_31/BiasAdd";

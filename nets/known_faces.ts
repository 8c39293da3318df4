/** What the network behind the identity loss and the ID-MRF loss sees in photographs, which training never changes. */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { deviceOperator, disposeDeviceOperator } from "../face/render_device.ts";
import type { Topology } from "../face/topology.ts";
import { type TrainingView, uploadCrops } from "./device_triplet.ts";
import { resample } from "./resample.ts";

/** What the network makes of some faces. */
export interface SeenFaces {
  /** [B,N] */
  descriptor: tfjs.Tensor2D;
  /** [B,h,w,C] of each layer. */
  layers: readonly tfjs.Tensor4D[];
}

/** What is known of some photographs before a step. */
export interface KnownFaces extends SeenFaces {
  /** Of each layer, which positions look at a place that the mesh covers by half at least [B·h·w]. */
  inside: readonly (readonly boolean[])[];
}

/** The network that the identity loss and the ID-MRF loss look through, in one pass for both. */
export interface IdentityNetwork {
  /** Side of its input in pixels. */
  side: number;
  /** Part of each layer in the ID-MRF loss, in the order in which `features` gives them. */
  layerWeights: readonly number[];
  /** Faces [B,side,side,3] → descriptors and layers. */
  features(faces: tfjs.Tensor4D): SeenFaces;
}

/** A photograph with the face that was found in it. */
export type FacePhotograph = Pick<TrainingView, "photograph" | "face" | "vertices">;

/**
 * Looks at photographs, square crops of one size.
 *
 * @returns what the network sees, and beside each layer the share of each position that the mesh covers [B,h,w,1]
 */
export function lookAtPhotographs(
  tf: Tfjs,
  views: readonly FacePhotograph[],
  { network, topology }: { network: IdentityNetwork; topology: Topology },
): SeenFaces & { covered: tfjs.Tensor4D[] } {
  const { side } = network;
  const crops = uploadCrops(tf, views);
  const [, height, width] = crops.shape;
  const cut = (maps: tfjs.Tensor4D, size: { width: number; height: number }) =>
    tf.concat(views.map(({ face }, view) => {
      const map = tf.slice(maps, [view, 0, 0, 0], [1, -1, -1, -1]) as tfjs.Tensor4D;
      return resample(tf, map, { box: face, ...size });
    }));
  const { descriptor, layers } = network.features(cut(crops, { width: side, height: side }));
  // Rendering at each pixel's centre; the size of the textures does not change what is covered.
  const operator = deviceOperator(tf, views.map(({ vertices }) => vertices), { topology, width, height });
  const coverage = tf.reshape(operator.coverage, [views.length, height, width, 1]) as tfjs.Tensor4D;
  const covered = layers.map(({ shape: [, height, width] }) => cut(coverage, { width, height }));
  disposeDeviceOperator(operator);
  return { descriptor, layers, covered };
}

/** Which positions the mesh covers by half at least, of shares that were read back. */
export function coveredByHalf(shares: Float32Array): boolean[] {
  return Array.from(shares, (share) => share >= 0.5);
}

/**
 * The coarse network of Chen et al. 2020 (`CoarseModel` of `face_model.py`, cyj907/unsupervised-detail-layer): VGG-Face
 * and five linear heads without a bias make the parameters of the Basel Face Model, of the pose and of the light. The
 * weights are the authors' own TensorFlow checkpoint.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs } from "@ftim/gpu/tfjs";
import { CHEN_CROP } from "../face/chen_faces.ts";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import type { TensorSource } from "./files/source.ts";
import { readDense } from "./tensorflow_layers.ts";
import type { FoldedLayer } from "./torch_convolution.ts";
import { openVggFace, VGG_FACE_FEATURES, VGG_FACE_SIZE } from "./vgg_face.ts";

/** Names of the heads, in the code's order. */
const HEADS = ["shape", "exp", "tex", "pose", "illum"] as const;
/** What the light begins at, in each colour: the authors' `init_illum`. */
const FIRST_LIGHT = [0.3, 0.3, 0, 0, 0, 0, 0, 0, 0];

/** A batch of codes, taken apart. A type and no interface, so that `tf.tidy` takes it. */
export type ChenCode = {
  /** `[B, 80]`: shape components, in deviations. */
  readonly shape: tfjs.Tensor2D;
  /** `[B, 29]`: expression components, in deviations. */
  readonly expression: tfjs.Tensor2D;
  /** `[B, 80]`: components of the vertices' albedo, in deviations. */
  readonly albedo: tfjs.Tensor2D;
  /** `[B, 6]`: pitch, yaw, roll in radians; shift to the right and up in pixels; logarithm of the scale. */
  readonly pose: tfjs.Tensor2D;
  /** `[B, 3, 9]`: bands of light of each colour, in the order of face/chen_faces.ts. */
  readonly light: tfjs.Tensor3D;
};

/** An open encoder. */
export interface ChenEncoder {
  /**
   * @param x `[B, 300, 300, 3]`, RGB, 0..1, cropped as `chenCrop` does
   * @throws {RangeError} if the crops have another size
   */
  encode(x: tfjs.Tensor4D): ChenCode;
  dispose(): void;
}

/**
 * Opens the encoder.
 *
 * @param source the `.index` of the coarse checkpoint, or the same tensors in another format that `openTensors` knows
 * @throws {TensorFileError} if it is damaged, of another network, or lacks a tensor
 */
export async function openChenEncoder(source: TensorSource): Promise<ChenEncoder> {
  const file = await openTensors(source);
  requireLayout(file, "chenCoarse");
  const tf = await openTfjs();
  const trunk = await openVggFace(tf, file, { prefix: "CoarseModel/VGGFace/" });
  const heads: FoldedLayer[] = [];
  for (const name of HEADS) {
    const filter = `CoarseModel/decoder/para_${name}/kernel`;
    heads.push(await readDense(tf, file, { filter, inputs: VGG_FACE_FEATURES }));
  }
  const last = tf.tidy(() => tf.concat(heads.map(({ filter }) => filter), 3));
  const counts = heads.map(({ bias }) => bias.size);
  for (const { filter, bias } of heads) tf.dispose([filter, bias]);
  return {
    encode(x) {
      const [batch, height, width] = x.shape;
      if (height !== CHEN_CROP || width !== CHEN_CROP) {
        throw new RangeError(`Chen's encoder takes crops of ${CHEN_CROP}×${CHEN_CROP}, not ${width}×${height}`);
      }
      return tf.tidy((): ChenCode => {
        // TensorFlow 1 holds a pixel to be where its corner is.
        const small = tf.image.resizeBilinear(x, [VGG_FACE_SIZE, VGG_FACE_SIZE], false, false);
        const code = convolve(tf, trunk.features(tf.mul(small, 255)), { filter: last });
        const parts = tf.split(tf.reshape(code, [batch, -1]) as tfjs.Tensor2D, counts, 1);
        const [shape, expression, albedo, pose, light] = parts as [
          tfjs.Tensor2D,
          tfjs.Tensor2D,
          tfjs.Tensor2D,
          tfjs.Tensor2D,
          tfjs.Tensor2D,
        ];
        const bands: tfjs.Tensor3D = tf.add(tf.reshape(light, [batch, 3, 9]), tf.tensor1d(FIRST_LIGHT));
        return { shape, expression, albedo, pose, light: bands };
      });
    },
    dispose() {
      trunk.dispose();
      last.dispose();
    },
  };
}

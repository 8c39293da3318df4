/**
 * DECA's coarse encoder (Feng et al. 2021, `E_flame` of `decalib/deca.py`): ResNet-50 and two linear layers make 236
 * numbers of a face, which are the parameters of FLAME, of its albedo, of the camera and of the light. The weights are
 * the authors' own `deca_model.tar`, of which the encoder's part is read.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import type { TensorSource } from "./files/source.ts";
import { openResNet50, RESNET50_FEATURES } from "./resnet50.ts";
import { readLayer } from "./torch_convolution.ts";

const HIDDEN = 1024;

/** How many numbers of the code are what, in its order. */
export const DECA_CODE = { shape: 100, albedo: 50, expression: 50, pose: 6, camera: 3, light: 27 } as const;

/** Length of the code. */
const LENGTH = Object.values(DECA_CODE).reduce((sum, count) => sum + count, 0);

/** A batch of codes, taken apart. A type and no interface, so that `tf.tidy` takes it. */
export type DecaCode = {
  /** `[B, 100]`: FLAME's first shape components. */
  readonly shape: tfjs.Tensor2D;
  /** `[B, 50]`: components of the albedo. */
  readonly albedo: tfjs.Tensor2D;
  /** `[B, 50]`: FLAME's first expression components. */
  readonly expression: tfjs.Tensor2D;
  /** `[B, 6]`: rotation vectors of the head and of the jaw, radians. */
  readonly pose: tfjs.Tensor2D;
  /** `[B, 3]`: scale, and shift to the right and up before it (face/deca_camera.ts). */
  readonly camera: tfjs.Tensor2D;
  /** `[B, 9, 3]`: bands of light, RGB last, as face/light.ts has them. */
  readonly light: tfjs.Tensor3D;
};

/** An open encoder. */
export interface DecaEncoder {
  /**
   * @param x `[B, 224, 224, 3]`, RGB, 0..1: crops as `decaCrop` or `decaLandmarkCrop` places them
   * @returns `[B, 236]`; a face has the same bits alone and among others
   */
  encode(x: tfjs.Tensor4D): tfjs.Tensor2D;
  dispose(): void;
}

/**
 * Opens the encoder.
 *
 * @param source `deca_model.tar`, or the same tensors in another format that `openTensors` knows
 * @throws {TensorFileError} if it is damaged, of another network, or lacks a tensor
 */
export async function openDecaEncoder(source: TensorSource): Promise<DecaEncoder> {
  const file = await openTensors(source, { strip: ["module."] });
  requireLayout(file, "deca");
  const tf = await openTfjs();
  const trunk = await openResNet50(tf, file, { prefix: "E_flame.encoder." });
  const [inner, last] = [
    await readLayer(tf, file, { name: "E_flame.layers.0", shape: [HIDDEN, RESNET50_FEATURES], bias: true }),
    await readLayer(tf, file, { name: "E_flame.layers.2", shape: [LENGTH, HIDDEN], bias: true }),
  ];
  return {
    encode: (x) =>
      tf.tidy(() => {
        // As convolutions: tfjs's matrix product of one row adds in another order than that of many.
        const hidden = convolve(tf, trunk.features(x), { ...inner, slope: 0 });
        return tf.reshape(convolve(tf, hidden, last), [x.shape[0], LENGTH]);
      }),
    dispose() {
      trunk.dispose();
      for (const { filter, bias } of [inner, last]) tf.dispose([filter, bias]);
    },
  };
}

/**
 * Takes codes apart.
 *
 * @param code `[B, 236]`
 */
export function splitDecaCode(tf: Tfjs, code: tfjs.Tensor2D): DecaCode {
  return tf.tidy(() => {
    const parts = tf.split(code, Object.values(DECA_CODE), 1) as tfjs.Tensor2D[];
    const [shape, albedo, expression, pose, camera, light] = parts as [
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
    ];
    return { shape, albedo, expression, pose, camera, light: tf.reshape(light, [code.shape[0], 9, 3]) };
  });
}

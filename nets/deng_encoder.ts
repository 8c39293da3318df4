/**
 * The encoder of Deng et al. 2019 in its authors' PyTorch version (`Deep3DFaceRecon_pytorch`, `ReconNetWrapper` of
 * `models/networks.py`): ResNet-50 and seven linear heads make 257 numbers of a face, which are the parameters of the
 * Basel Face Model, of the pose and of the light. The weights are the authors' own `epoch_20.pth`.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import type { TensorSource } from "./files/source.ts";
import { openResNet50, RESNET50_FEATURES } from "./resnet50.ts";
import { type FoldedLayer, readLayer } from "./torch_convolution.ts";

/** How many numbers each head gives, in the code's order; the last two are the translation. */
const HEADS = [80, 64, 80, 3, 27, 2, 1] as const;
/** How many numbers of the code are what. */
const DENG_CODE = { identity: 80, expression: 64, albedo: 80, angles: 3, light: 27, translation: 3 } as const;
const LENGTH = HEADS.reduce<number>((sum, count) => sum + count, 0);

/** A batch of codes, taken apart. A type and no interface, so that `tf.tidy` takes it. */
export type DengCode = {
  /** `[B, 80]`: shape components of identity. */
  readonly identity: tfjs.Tensor2D;
  /** `[B, 64]`: shape components of expression. */
  readonly expression: tfjs.Tensor2D;
  /** `[B, 80]`: components of the vertices' albedo. */
  readonly albedo: tfjs.Tensor2D;
  /** `[B, 3]`: pitch, yaw, roll in radians; the rotation is Rz·Ry·Rx. */
  readonly angles: tfjs.Tensor2D;
  /** `[B, 3, 9]`: bands of light of each colour. The authors add 0.8 to the first band. */
  readonly light: tfjs.Tensor3D;
  /** `[B, 3]` */
  readonly translation: tfjs.Tensor2D;
};

/** An open encoder. */
export interface DengEncoder {
  /**
   * @param x `[B, 224, 224, 3]`, RGB, 0..1, aligned by five points as the authors do it
   * @returns the 257 numbers of each face, taken apart; a face has the same bits alone and among others
   */
  encode(x: tfjs.Tensor4D): DengCode;
  dispose(): void;
}

/**
 * Opens the encoder.
 *
 * @param source `epoch_20.pth`, or the same tensors in another format that `openTensors` knows
 * @throws {TensorFileError} if it is damaged, of another network, or lacks a tensor
 */
export async function openDengEncoder(source: TensorSource): Promise<DengEncoder> {
  const file = await openTensors(source, { strip: ["module."] });
  requireLayout(file, "deng");
  const tf = await openTfjs();
  const trunk = await openResNet50(tf, file, { prefix: "net_recon.backbone." });
  const heads: FoldedLayer[] = [];
  for (const [i, count] of HEADS.entries()) {
    const name = `net_recon.final_layers.${i}`;
    heads.push(await readLayer(tf, file, { name, shape: [count, RESNET50_FEATURES, 1, 1], bias: true }));
  }
  const last = tf.tidy(() => ({
    filter: tf.concat(heads.map(({ filter }) => filter), 3),
    bias: tf.concat(heads.map(({ bias }) => bias)),
  }));
  for (const { filter, bias } of heads) tf.dispose([filter, bias]);
  return {
    encode: (x) =>
      tf.tidy(() => splitDengCode(tf, tf.reshape(convolve(tf, trunk.features(x), last), [x.shape[0], LENGTH]))),
    dispose() {
      trunk.dispose();
      tf.dispose([last.filter, last.bias]);
    },
  };
}

/**
 * Takes codes apart.
 *
 * @param code `[B, 257]`
 */
export function splitDengCode(tf: Tfjs, code: tfjs.Tensor2D): DengCode {
  return tf.tidy(() => {
    const parts = tf.split(code, Object.values(DENG_CODE), 1) as tfjs.Tensor2D[];
    const [identity, expression, albedo, angles, light, translation] = parts as [
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
      tfjs.Tensor2D,
    ];
    return { identity, expression, albedo, angles, light: tf.reshape(light, [code.shape[0], 3, 9]), translation };
  });
}

/**
 * The networks of Tran et al. (Tran and Liu 2018; Tran, Liu and Liu 2019; tranluan/Nonlinear_Face_3DMM): an encoder
 * makes of a crop a camera, a light and two codes, and two decoders (tran_decoder.ts) make of the codes the maps of
 * shape and albedo in the authors' chart. The weights are the authors' own TensorFlow checkpoint. face/tran_faces.ts
 * makes faces of what comes out.
 *
 * The normalisations run on the means and variances that the checkpoint keeps. nets/tran.ts is another thing: that
 * method's texture model, re-made and trained here.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import { TensorFileError, type TensorSource } from "./files/source.ts";
import { convolution, readConvolution, readDense } from "./tensorflow_layers.ts";
import type { FoldedLayer } from "./torch_convolution.ts";
import { openTranDecoder } from "./tran_decoder.ts";

/** Width and height of the crops. */
export const TRAN_SIZE = 224;

/** Number, size and stride of the encoder's convolutions. */
const CONVOLUTIONS = [
  ["01", 7, 2],
  ["02", 3, 1],
  ["10", 3, 2],
  ["11", 3, 1],
  ["12", 3, 1],
  ["20", 3, 2],
  ["21", 3, 1],
  ["22", 3, 1],
  ["30", 3, 2],
  ["31", 3, 1],
  ["32", 3, 1],
  ["40", 3, 2],
  ["41", 3, 1],
] as const;

/** What the decoder of the shape reaches to, in units of its map. */
const SHAPE_REACH = 2;

/** What the networks say of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type TranCode = {
  /** `[B, 8]`: the camera less the authors' mean, over their deviation (`mean_m.npy`, `std_m.npy`). */
  readonly camera: tfjs.Tensor2D;
  /** `[B, 3, 9]`: bands of light of each colour, in the order of face/tran_faces.ts. */
  readonly light: tfjs.Tensor3D;
  /** `[B, 192, 224, 3]`: how far the surface is from the mean face, in units of 10⁴ of the model's own. */
  readonly shape: tfjs.Tensor4D;
  /** `[B, 192, 224, 3]`: RGB, 0..1. */
  readonly albedo: tfjs.Tensor4D;
};

/** Open networks. */
export interface TranNetwork {
  /**
   * @param x `[B, 224, 224, 3]`, RGB, 0..1
   * @throws {RangeError} if the crops have another size
   */
  encode(x: tfjs.Tensor4D): TranCode;
  dispose(): void;
}

/**
 * Opens the networks.
 *
 * @param source the `.index` of the authors' checkpoint, or the same tensors in another format that `openTensors` knows
 * @throws {TensorFileError} if it is damaged, of another network, or lacks a tensor
 */
export async function openTranNetwork(source: TensorSource): Promise<TranNetwork> {
  const file = await openTensors(source);
  requireLayout(file, "tran");
  const tf = await openTfjs();
  const trunk: { layer: FoldedLayer; stride: number }[] = [];
  let inputs = 3;
  for (const [number, size, stride] of CONVOLUTIONS) {
    const names = { filter: `g_k${number}_conv/w`, norm: `g_k_bn${[...number].join("_")}` };
    const layer = await readConvolution(tf, file, { ...names, size, inputs });
    trunk.push({ layer, stride });
    inputs = layer.bias.size;
  }
  const head = (name: string) =>
    readConvolution(tf, file, {
      filter: `g_k5_${name}_conv/w`,
      bias: `g_k5_${name}_conv/biases`,
      norm: `g_k_bn5_${name}`,
      size: 3,
      inputs,
    });
  const last = (name: string, { bias }: FoldedLayer) =>
    readDense(tf, file, { filter: `${name}/Matrix`, bias: `${name}/bias`, inputs: bias.size });
  const [camera, light, shape, albedo] = [await head("m"), await head("il"), await head("shape"), await head("tex")];
  const [lastCamera, lastLight] = [await last("g_k6_m_lin", camera), await last("g_k6_il_lin", light)];
  const parts = !file.tensors.has("g_s5_lin/Matrix");
  if (parts && !file.tensors.has("leye/g_l4_lin/Matrix")) {
    throw new TensorFileError(
      `Cannot read ${file.name}: it has Tran's encoder, and neither the decoders of model_non_linear_3DMM.py ` +
        `("g_s5_lin/Matrix") nor those of parts of model_non_linear_3DMM_proxy.py ("leye/g_l4_lin/Matrix")`,
    );
  }
  const shapes = await openTranDecoder(tf, file, { letter: parts ? "l" : "s", inputs: shape.bias.size, parts });
  const albedos = await openTranDecoder(tf, file, { letter: "h", inputs: albedo.bias.size, parts });

  return {
    encode(x) {
      const [batch, height, width] = x.shape;
      if (height !== TRAN_SIZE || width !== TRAN_SIZE) {
        throw new RangeError(`Tran's encoder takes crops of ${TRAN_SIZE}×${TRAN_SIZE}, not ${width}×${height}`);
      }
      return tf.tidy((): TranCode => {
        const features = tf.tidy(() => {
          let out: tfjs.Tensor4D = tf.sub(tf.mul(x, 2), 1);
          for (const { layer, stride } of trunk) out = convolution(tf, out, { ...layer, stride, activation: "elu" });
          return out;
        });
        const mean = (layer: FoldedLayer) =>
          tf.mean(convolution(tf, features, { ...layer, activation: "linear" }), [1, 2], true) as tfjs.Tensor4D;
        const numbers = (from: FoldedLayer, to: FoldedLayer) =>
          convolution(tf, mean(from), { ...to, activation: "linear" });
        return {
          camera: tf.reshape(numbers(camera, lastCamera), [batch, -1]),
          light: tf.reshape(numbers(light, lastLight), [batch, 3, -1]),
          shape: tf.mul(tf.tanh(shapes.decode(mean(shape))), SHAPE_REACH),
          albedo: tf.div(tf.add(tf.tanh(albedos.decode(mean(albedo))), 1), 2),
        };
      });
    },
    dispose() {
      const layers = [...trunk.map(({ layer }) => layer), camera, light, shape, albedo, lastCamera, lastLight];
      for (const { filter, bias } of layers) tf.dispose([filter, bias]);
      shapes.dispose();
      albedos.dispose();
    },
  };
}

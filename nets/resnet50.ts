/**
 * ResNet-50 (He et al. 2016) as torchvision lays it out, with the stride in the 3×3 convolution, up to the mean over
 * the last picture: the trunk of DECA's encoder (deca_encoder.ts) and of Deng's (deng_encoder.ts). Each batch
 * normalisation is folded into its convolution, and a block's sum and rectifier into its last one. It is run and never
 * trained, so it has no gradient.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { convolveMap, type FeatureMap, featureMap, mapMeans } from "@ftim/gpu/ops/feature-map";
import { intoBlocks, overBlocks } from "./convolution_blocks.ts";
import type { TensorFile } from "./files/open_tensors.ts";
import { type FoldedLayer, readLayer } from "./torch_convolution.ts";

/** Width and height of the pictures that both networks are trained on. */
export const RESNET50_SIZE = 224;
/** Features of a picture. */
export const RESNET50_FEATURES = 2048;

/** The first convolution on pixels. */
const FIRST = { side: 7, stride: 2, border: 3 } as const;
/** Inner channels, blocks and first stride of each stage; a block's result has four times its inner channels. */
const STAGES = [
  { width: 64, blocks: 3, stride: 1 },
  { width: 128, blocks: 4, stride: 2 },
  { width: 256, blocks: 6, stride: 2 },
  { width: 512, blocks: 3, stride: 2 },
] as const;
const EXPANSION = 4;

/** An open network. */
export interface ResNet50 {
  /**
   * The mean over the positions of the last stage. Not differentiable.
   *
   * @param x `[B, 224, 224, 3]`, RGB, 0..1, as both encoders take it: no mean is subtracted
   * @returns `[B, 1, 1, 2048]`
   * @throws {RangeError} if the pictures have another size
   */
  features(x: tfjs.Tensor4D): tfjs.Tensor4D;
  dispose(): void;
}

interface Block {
  readonly reduce: FoldedLayer;
  readonly spatial: FoldedLayer;
  readonly expand: FoldedLayer;
  /** Where the block changes size or channels. */
  readonly shortcut: FoldedLayer | undefined;
  readonly stride: number;
}

/**
 * Reads the network.
 *
 * @param options.prefix what stands in front of `conv1.weight` in the file's names
 * @throws {TensorFileError} if a tensor is absent or has another shape
 */
export async function openResNet50(tf: Tfjs, file: TensorFile, { prefix }: { prefix: string }): Promise<ResNet50> {
  const layer = (name: string, norm: string, shape: readonly [number, number, number, number]) =>
    readLayer(tf, file, { name: `${prefix}${name}`, norm: `${prefix}${norm}`, shape, bias: false });
  const opening = await layer("conv1", "bn1", [64, 3, FIRST.side, FIRST.side]);
  const first = { filter: overBlocks(tf, opening.filter, FIRST), bias: opening.bias };
  const blocks: Block[] = [];
  let inputs = 64;
  for (const [s, { width, blocks: count, stride: firstStride }] of STAGES.entries()) {
    for (let b = 0; b < count; b++) {
      const name = `layer${s + 1}.${b}.`;
      const outputs = EXPANSION * width;
      blocks.push({
        reduce: await layer(`${name}conv1`, `${name}bn1`, [width, inputs, 1, 1]),
        spatial: await layer(`${name}conv2`, `${name}bn2`, [width, width, 3, 3]),
        expand: await layer(`${name}conv3`, `${name}bn3`, [outputs, width, 1, 1]),
        shortcut: b > 0
          ? undefined
          : await layer(`${name}downsample.0`, `${name}downsample.1`, [outputs, inputs, 1, 1]),
        stride: b > 0 ? 1 : firstStride,
      });
      inputs = outputs;
    }
  }
  return {
    features(x) {
      const [, height, width] = x.shape;
      if (height !== RESNET50_SIZE || width !== RESNET50_SIZE) {
        throw new RangeError(`ResNet-50 takes pictures of ${RESNET50_SIZE}×${RESNET50_SIZE}, not ${width}×${height}`);
      }
      return tf.tidy(() => {
        let out = tf.tidy(() => {
          const open = convolve(tf, intoBlocks(tf, x, FIRST), { ...first, pad: "valid", slope: 0 });
          return featureMap(tf, tf.maxPool(open, 3, 2, 1));
        });
        for (const block of blocks) {
          const before = out;
          out = tf.tidy(() => residual(tf, before, block));
          tf.dispose(before);
        }
        return mapMeans(tf, out);
      });
    },
    dispose() {
      const layers = blocks.flatMap(({ reduce, spatial, expand, shortcut }) => [reduce, spatial, expand, shortcut]);
      for (const one of [first, ...layers]) if (one !== undefined) tf.dispose([one.filter, one.bias]);
    },
  };
}

function residual(tf: Tfjs, x: FeatureMap, { reduce, spatial, expand, shortcut, stride }: Block): FeatureMap {
  const narrow = convolveMap(tf, x, { ...reduce, slope: 0 });
  const inner = convolveMap(tf, narrow, { ...spatial, stride, pad: around(1), slope: 0 });
  const plus = shortcut === undefined ? x : convolveMap(tf, x, { ...shortcut, stride, pad: "valid" });
  return convolveMap(tf, inner, { ...expand, plus, slope: 0 });
}

/** So many rows and columns of zeros on all sides, which for a stride of 2 is not what tfjs calls "same". */
function around(pixels: number): [[number, number], [number, number], [number, number], [number, number]] {
  return [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]];
}

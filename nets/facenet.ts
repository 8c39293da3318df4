/**
 * FaceNet: InceptionResnetV1 (Szegedy et al. 2016, without the auxiliary head) as facenet-pytorch lays it out, trained
 * by D. Sandberg on VGGFace2: identity of a face as 512 numbers of length 1, whose cosine is the paper's last column.
 * The weights are facenet-pytorch's own file (see data.lock, collection `facenet`).
 *
 * Each batch normalisation is folded into its convolution, and so is the factor of each residual block. Differentiable
 * in the picture; no filter gradient is computed.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { requireLayout } from "./files/layouts.ts";
import { openTensors } from "./files/open_tensors.ts";
import type { TensorSource } from "./files/source.ts";
import { resample } from "./resample.ts";
import type { Box } from "./resample_taps.ts";
import { type FoldedLayer, readLayer } from "./torch_convolution.ts";

/** Width and height of the network's input. */
export const FACENET_SIZE = 160;
/** Length of a descriptor. */
const LENGTH = 512;
/** What the normalisations add to the variance: TensorFlow's default, where the weights come from. */
const EPSILON = 0.001;

/** An open network. */
export interface Facenet {
  /**
   * Descriptors; differentiable.
   *
   * @param x `[B, S, S, 3]`, 0..1, square, RGB
   * @param options.box the part of every image to look at
   * @returns `[B, 512]`, each of length 1
   */
  embed(x: tfjs.Tensor4D, options?: { box?: Box }): tfjs.Tensor2D;
  dispose(): void;
}

/** A convolution with its normalisation and rectifier; what is not given is 1 or none. */
interface Step {
  readonly name: string;
  /** in, out */
  readonly channels: readonly [number, number];
  /** height, width */
  readonly kernel?: readonly [number, number];
  readonly stride?: number;
  /** Whether zeros around keep the size. */
  readonly same?: boolean;
}

/** A residual block: its branches are joined, and a 1×1 convolution of them, times `scale`, is added to its input. */
interface Residual {
  readonly name: string;
  readonly branches: readonly (readonly Step[])[];
  readonly channels: readonly [number, number];
  readonly scale: number;
  readonly relu: boolean;
}

const STEM: readonly (Step | "pool")[] = [
  { name: "conv2d_1a", channels: [3, 32], kernel: [3, 3], stride: 2 },
  { name: "conv2d_2a", channels: [32, 32], kernel: [3, 3] },
  { name: "conv2d_2b", channels: [32, 64], kernel: [3, 3], same: true },
  "pool",
  { name: "conv2d_3b", channels: [64, 80] },
  { name: "conv2d_4a", channels: [80, 192], kernel: [3, 3] },
  { name: "conv2d_4b", channels: [192, 256], kernel: [3, 3], stride: 2 },
];

/** Branches of the two reductions, which end with a stride of 2; a maximum over 3×3 is the last branch of both. */
const MIXED_6A: readonly (readonly Step[])[] = [
  [{ name: "mixed_6a.branch0", channels: [256, 384], kernel: [3, 3], stride: 2 }],
  [
    { name: "mixed_6a.branch1.0", channels: [256, 192] },
    { name: "mixed_6a.branch1.1", channels: [192, 192], kernel: [3, 3], same: true },
    { name: "mixed_6a.branch1.2", channels: [192, 256], kernel: [3, 3], stride: 2 },
  ],
];
const MIXED_7A: readonly (readonly Step[])[] = [
  [
    { name: "mixed_7a.branch0.0", channels: [896, 256] },
    { name: "mixed_7a.branch0.1", channels: [256, 384], kernel: [3, 3], stride: 2 },
  ],
  [
    { name: "mixed_7a.branch1.0", channels: [896, 256] },
    { name: "mixed_7a.branch1.1", channels: [256, 256], kernel: [3, 3], stride: 2 },
  ],
  [
    { name: "mixed_7a.branch2.0", channels: [896, 256] },
    { name: "mixed_7a.branch2.1", channels: [256, 256], kernel: [3, 3], same: true },
    { name: "mixed_7a.branch2.2", channels: [256, 256], kernel: [3, 3], stride: 2 },
  ],
];

/** Blocks at 17×17. */
const block35 = (name: string): Residual => ({
  name,
  branches: [
    [{ name: `${name}.branch0`, channels: [256, 32] }],
    [
      { name: `${name}.branch1.0`, channels: [256, 32] },
      { name: `${name}.branch1.1`, channels: [32, 32], kernel: [3, 3], same: true },
    ],
    [
      { name: `${name}.branch2.0`, channels: [256, 32] },
      { name: `${name}.branch2.1`, channels: [32, 32], kernel: [3, 3], same: true },
      { name: `${name}.branch2.2`, channels: [32, 32], kernel: [3, 3], same: true },
    ],
  ],
  channels: [96, 256],
  scale: 0.17,
  relu: true,
});

/** Blocks at 8×8 and 3×3, whose second branch is a column after a row. */
function crossed(
  name: string,
  { channels, inner, length, ...rest }: {
    channels: number;
    inner: number;
    length: number;
    scale: number;
    relu: boolean;
  },
): Residual {
  return {
    name,
    branches: [
      [{ name: `${name}.branch0`, channels: [channels, inner] }],
      [
        { name: `${name}.branch1.0`, channels: [channels, inner] },
        { name: `${name}.branch1.1`, channels: [inner, inner], kernel: [1, length], same: true },
        { name: `${name}.branch1.2`, channels: [inner, inner], kernel: [length, 1], same: true },
      ],
    ],
    channels: [2 * inner, channels],
    ...rest,
  };
}

const range = (count: number) => [...Array(count).keys()];
const BLOCKS_35 = range(5).map((i) => block35(`repeat_1.${i}`));
const BLOCKS_17 = range(10).map((i) =>
  crossed(`repeat_2.${i}`, { channels: 896, inner: 128, length: 7, scale: 0.1, relu: true })
);
const BLOCK_8 = { channels: 1792, inner: 192, length: 3 };
const BLOCKS_8 = [
  ...range(5).map((i) => crossed(`repeat_3.${i}`, { ...BLOCK_8, scale: 0.2, relu: true })),
  crossed("block8", { ...BLOCK_8, scale: 1, relu: false }),
];

/**
 * Opens the network.
 *
 * @param source the file, in PyTorch's or any other format that `openTensors` knows
 * @throws {TensorFileError} if it is damaged, of another network, or lacks a tensor
 */
export async function openFacenet(source: TensorSource): Promise<Facenet> {
  const file = await openTensors(source, { strip: ["module."] });
  requireLayout(file, "facenet");
  const tf = await openTfjs();
  const layers = new Map<string, FoldedLayer>();
  const blocks = [...BLOCKS_35, ...BLOCKS_17, ...BLOCKS_8];
  const stem = STEM.filter((step) => step !== "pool");
  const steps = [...stem, ...MIXED_6A.flat(), ...MIXED_7A.flat(), ...blocks.flatMap(({ branches }) => branches.flat())];
  for (const { name, channels: [inputs, outputs], kernel: [height, width] = [1, 1] } of steps) {
    const layer = { name: `${name}.conv`, norm: `${name}.bn`, bias: false, epsilon: EPSILON };
    layers.set(name, await readLayer(tf, file, { ...layer, shape: [outputs, inputs, height, width] }));
  }
  for (const { name, channels: [inputs, outputs], scale } of blocks) {
    const shape = [outputs, inputs, 1, 1] as const;
    layers.set(name, await readLayer(tf, file, { name: `${name}.conv2d`, shape, bias: true, scale }));
  }
  const channels = BLOCK_8.channels;
  const last = { name: "last_linear", norm: "last_bn", bias: false, epsilon: EPSILON };
  layers.set("last", await readLayer(tf, file, { ...last, shape: [LENGTH, channels] }));
  const network: Network = { tf, layers };
  return {
    embed: (x, { box } = {}) =>
      tf.tidy(() => {
        const size = { width: FACENET_SIZE, height: FACENET_SIZE };
        const input = resample(tf, x, box ? { box, ...size } : size);
        // 0..255 less 127.5, over 128
        let out = tf.mul(tf.sub(input, 0.5), 255 / 128) as tfjs.Tensor4D;
        for (const step of STEM) out = step === "pool" ? tf.maxPool(out, 3, 2, "valid") : apply(network, out, step);
        for (const block of BLOCKS_35) out = residual(network, out, block);
        out = reduced(network, out, MIXED_6A);
        for (const block of BLOCKS_17) out = residual(network, out, block);
        out = reduced(network, out, MIXED_7A);
        for (const block of BLOCKS_8) out = residual(network, out, block);
        const means = tf.mean(out, [1, 2], true) as tfjs.Tensor4D;
        // As a convolution: tfjs's matrix product of one row adds in another order than that of many.
        const raw = tf.reshape(convolve(tf, means, layers.get("last")!), [x.shape[0], LENGTH]);
        const length = tf.sqrt(tf.sum(tf.square(raw), 1, true));
        return tf.div(raw, tf.maximum(length, 1e-12)) as tfjs.Tensor2D;
      }),
    dispose() {
      for (const { filter, bias } of layers.values()) tf.dispose([filter, bias]);
    },
  };
}

interface Network {
  readonly tf: Tfjs;
  readonly layers: ReadonlyMap<string, FoldedLayer>;
}

function apply({ tf, layers }: Network, x: tfjs.Tensor4D, { name, stride = 1, same = false }: Step): tfjs.Tensor4D {
  return convolve(tf, x, { ...layers.get(name)!, stride, pad: same ? "same" : "valid", slope: 0 });
}

function branch(network: Network, x: tfjs.Tensor4D, steps: readonly Step[]): tfjs.Tensor4D {
  return steps.reduce((value, step) => apply(network, value, step), x);
}

function residual(network: Network, x: tfjs.Tensor4D, { name, branches, relu }: Residual): tfjs.Tensor4D {
  const { tf, layers } = network;
  return tf.tidy(() => {
    const joined = tf.concat(branches.map((steps) => branch(network, x, steps)), 3);
    const sum = tf.add(convolve(tf, joined, layers.get(name)!), x) as tfjs.Tensor4D;
    return relu ? tf.relu(sum) : sum;
  });
}

function reduced(network: Network, x: tfjs.Tensor4D, branches: readonly (readonly Step[])[]): tfjs.Tensor4D {
  const { tf } = network;
  const parts = [...branches.map((steps) => branch(network, x, steps)), tf.maxPool(x, 3, 2, "valid")];
  return tf.concat(parts, 3);
}

/**
 * LPIPS, the learned perceptual image patch similarity (Zhang, Isola, Efros, Shechtman, Wang 2018, "The unreasonable
 * effectiveness of deep features as a perceptual metric"), version 0.1 with AlexNet, which its authors recommend for
 * comparing methods. It says how far apart two pictures are to a network that learned people's judgements. 0 is for
 * equal pictures; lower is better.
 *
 * Each of five layers gives a map: unit-length features, their squared difference, weighted by channel. The distance is
 * the sum of the maps' means. Under a mask it is the mean, over the mask, of the maps enlarged to the picture
 * (bilinear, pixel centres), which is the authors' `spatial=True`.
 *
 * The user has to get the weights (data.lock, collection `lpips`): `AlexNet_0.Conv_<n>.kernel` [height, width, in, out]
 * and `.bias` [out], `NetLinLayer_<n>.Conv_0.kernel` [1, 1, channels, 1].
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { RgbImage } from "../face/image.ts";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { decodeSafetensors, type TensorRecord } from "./safetensors.ts";

/** AlexNet's convolutions, each with its rectifier; `pool`: after a maximum over 3×3, every second. */
const LAYERS = [
  { side: 11, inputs: 3, outputs: 64, stride: 4, pad: 2, pool: false },
  { side: 5, inputs: 64, outputs: 192, stride: 1, pad: 2, pool: true },
  { side: 3, inputs: 192, outputs: 384, stride: 1, pad: 1, pool: true },
  { side: 3, inputs: 384, outputs: 256, stride: 1, pad: 1, pool: false },
  { side: 3, inputs: 256, outputs: 256, stride: 1, pad: 1, pool: false },
] as const;

/** Colours as the authors scale them, for RGB in −1..1. */
const SHIFT = [-0.030, -0.088, -0.188];
const SCALE = [0.458, 0.448, 0.450];
/** Keeps features without length at 0. */
const EPSILON = 1e-10;
/** The side of the patches that people judged; smaller pictures have next to no positions in the last layers. */
const LEAST_SIDE = 64;

/** An open network. */
export interface Lpips {
  /**
   * Distances of pictures to one picture, 0 or more.
   *
   * @param pictures RGB in 0..1, of the target's size, at least 64 a side
   * @param options `masks`: weights of the pixels [H·W]; null: all alike
   * @returns one row a picture, one value a mask; null where the mask is empty
   * @throws {RangeError} if a picture is smaller or of another size
   */
  distances(
    pictures: readonly RgbImage[],
    options: { target: RgbImage; masks: readonly (Float32Array | null)[] },
  ): Promise<(number | null)[][]>;
  dispose(): void;
}

/**
 * Opens the network.
 *
 * @param file the safetensors file
 * @throws {TypeError} if a tensor is absent or has another shape
 */
export async function openLpips(file: Uint8Array): Promise<Lpips> {
  const tf = await openTfjs();
  const weights = decodeSafetensors(file);
  const layers = LAYERS.map((_, number) => openLayer(tf, weights, number));
  const [shift, scale] = [tf.tensor1d(SHIFT), tf.tensor1d(SCALE)];
  /** The five maps [B, h, w] between each picture and the last. */
  const mapsOf = (batch: tfjs.Tensor4D) =>
    tf.tidy(() => {
      let out = tf.div(tf.sub(tf.sub(tf.mul(batch, 2), 1), shift), scale) as tfjs.Tensor4D;
      const count = batch.shape[0] - 1;
      return layers.map(({ filter, bias, importance }, i) => {
        const { stride, pad, pool } = LAYERS[i]!;
        if (pool) out = tf.maxPool(out, 3, 2, "valid");
        out = convolve(tf, out, { filter, bias, stride, pad: [[0, 0], [pad, pad], [pad, pad], [0, 0]], slope: 0 });
        const unit = tf.div(out, tf.add(tf.sqrt(tf.sum(tf.square(out), -1, true)), EPSILON));
        const [pictures, target] = tf.split(unit, [count, 1]);
        return tf.sum(tf.mul(tf.squaredDifference(pictures!, target!), importance), -1) as tfjs.Tensor3D;
      });
    });
  return {
    async distances(pictures, { target, masks }) {
      checkSizes([...pictures, target]);
      if (pictures.length === 0) return [];
      const { width, height } = target;
      const batch = new Float32Array((pictures.length + 1) * target.data.length);
      for (const [i, { data }] of [...pictures, target].entries()) batch.set(data, i * data.length);
      const images = tf.tensor4d(batch, [pictures.length + 1, height, width, 3]);
      const maps = mapsOf(images);
      const values = await Promise.all(maps.map((map) => map.data<"float32">()));
      const shapes = maps.map(({ shape: [, h, w] }) => ({ width: w, height: h }));
      tf.dispose([images, ...maps]);
      const shares = masks.map((mask) => shapes.map((map) => sharesOf(mask, { width, height, map })));
      return pictures.map((_, picture) =>
        shares.map((byLayer) =>
          byLayer.reduce<number | null>((sum, share, layer) => {
            if (sum === null || share === null) return null;
            const map = values[layer]!.subarray(picture * share.length, (picture + 1) * share.length);
            return sum + map.reduce((mean, value, i) => mean + value * share[i]!, 0);
          }, 0)
        )
      );
    },
    dispose() {
      tf.dispose([shift, scale]);
      for (const { filter, bias, importance } of layers) tf.dispose([filter, bias, importance]);
    },
  };
}

function openLayer(tf: Tfjs, weights: TensorRecord, number: number) {
  const { side, inputs, outputs } = LAYERS[number]!;
  const read = (name: string, shape: readonly number[]) => {
    const tensor = weights[name];
    if (!(tensor?.data instanceof Float32Array) || String(tensor.shape) !== String(shape)) {
      const found = tensor === undefined ? "it is absent" : `it is [${tensor.shape}]`;
      throw new TypeError(`Cannot open LPIPS: "${name}" must hold floats [${shape}], but ${found}`);
    }
    return tensor.data;
  };
  const kernel = [side, side, inputs, outputs] as const;
  const values = {
    filter: read(`AlexNet_0.Conv_${number}.kernel`, kernel),
    bias: read(`AlexNet_0.Conv_${number}.bias`, [outputs]),
    importance: read(`NetLinLayer_${number}.Conv_0.kernel`, [1, 1, outputs, 1]),
  };
  return {
    filter: tf.tensor4d(values.filter, [...kernel]),
    bias: tf.tensor1d(values.bias),
    importance: tf.tensor1d(values.importance),
  };
}

function checkSizes(pictures: readonly RgbImage[]): void {
  const { width, height } = pictures.at(-1)!;
  if (Math.min(width, height) < LEAST_SIDE) {
    throw new RangeError(`LPIPS compares pictures of at least ${LEAST_SIDE}×${LEAST_SIDE}, not ${width}×${height}`);
  }
  const other = pictures.find((picture) => picture.width !== width || picture.height !== height);
  if (other !== undefined) {
    throw new RangeError(
      `LPIPS compares pictures of one size, not ${other.width}×${other.height} and ${width}×${height}`,
    );
  }
}

/**
 * How much each cell of a map has in the mean, over a mask, of the map enlarged to the picture; they sum to 1. Without
 * a mask all cells are alike; null: the mask is empty.
 */
function sharesOf(
  mask: Float32Array | null,
  { width, height, map }: { width: number; height: number; map: { width: number; height: number } },
): Float64Array | null {
  const cells = map.width * map.height;
  if (mask === null) return new Float64Array(cells).fill(1 / cells);
  const [across, down] = [taps(width, map.width), taps(height, map.height)];
  const shares = new Float64Array(cells);
  let total = 0;
  for (let y = 0; y < height; y++) {
    const { from: y0, to: y1, weight: fy } = down[y]!;
    for (let x = 0; x < width; x++) {
      const value = mask[y * width + x]!;
      if (value === 0) continue;
      total += value;
      const { from: x0, to: x1, weight: fx } = across[x]!;
      const add = (cell: number, share: number) => shares[cell] = shares[cell]! + value * share;
      add(y0 * map.width + x0, (1 - fy) * (1 - fx));
      add(y0 * map.width + x1, (1 - fy) * fx);
      add(y1 * map.width + x0, fy * (1 - fx));
      add(y1 * map.width + x1, fy * fx);
    }
  }
  return total > 0 ? shares.map((share) => share / total) : null;
}

/** The two cells between which each pixel's centre lies, and how far it is to the second. */
function taps(pixels: number, cells: number): { from: number; to: number; weight: number }[] {
  return Array.from({ length: pixels }, (_, pixel) => {
    const place = Math.max(0, (pixel + 0.5) * cells / pixels - 0.5);
    const from = Math.floor(place);
    return { from, to: Math.min(from + 1, cells - 1), weight: place - from };
  });
}

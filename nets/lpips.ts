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
 * The weights (data.lock, collections `lpips` and `lpips-own`) are `AlexNet_0.Conv_<n>.kernel` [height, width, in, out]
 * and `.bias` [out], and `NetLinLayer_<n>.Conv_0.kernel` [1, 1, channels, 1].
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { RgbImage } from "../face/image.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { submitRecorded, webgpuBackend } from "@ftim/gpu/backend";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { intoBlocks, overBlocks } from "./convolution_blocks.ts";
import { openTensors, readFloats, type TensorFile } from "./files/open_tensors.ts";
import { bytesSource } from "./files/source.ts";
import { differences, networkColours, sharesOf, weightedMeans } from "./lpips_maps.ts";
import { stackImages } from "./resample.ts";

/**
 * AlexNet's convolutions, each with its rectifier; `pool`: after a maximum over 3×3, every second. The first one reads
 * every fourth place, two pixels beyond the border too; it is computed on blocks (`intoBlocks`), which have the border.
 */
const LAYERS = [
  { side: 11, inputs: 3, outputs: 64, pad: 0, pool: false },
  { side: 5, inputs: 64, outputs: 192, pad: 2, pool: true },
  { side: 3, inputs: 192, outputs: 384, pad: 1, pool: true },
  { side: 3, inputs: 384, outputs: 256, pad: 1, pool: false },
  { side: 3, inputs: 256, outputs: 256, pad: 1, pool: false },
] as const;
/** The first convolution on pixels. */
const FIRST = { side: LAYERS[0].side, stride: 4, border: 2 } as const;

/** The side of the patches that people judged; smaller pictures have next to no positions in the last layers. */
const LEAST_SIDE = 64;

/** Pairs of pictures in one pass of the network: more are not faster, and take memory. */
const AT_ONCE = 8;

/** A picture, what it is compared with, and where. */
export interface LpipsPair {
  /** RGB in 0..1, at least 64 a side. */
  readonly picture: RgbImage;
  /** Of the picture's size. */
  readonly target: RgbImage;
  /** Weights of the pixels [H·W]; null: all alike. */
  readonly masks: readonly (Float32Array | null)[];
}

/** An open network. */
export interface Lpips {
  /**
   * Distances of pictures to others, 0 or more. A pair has the same bits alone and among others.
   *
   * @param pairs of any sizes
   * @returns one row a pair, one value a mask; null where the mask is empty
   * @throws {RangeError} if a picture is smaller than 64 a side, or a target or mask of another size than its picture
   */
  distances(pairs: readonly LpipsPair[]): Promise<(number | null)[][]>;
  dispose(): void;
}

/**
 * Opens the network.
 *
 * @param bytes the file of its weights: a pickle of NumPy's arrays, safetensors, or another format of `nets/files/`
 * @throws {TensorFileError} if it is none, or a tensor is absent or has another shape
 */
export async function openLpips(bytes: Uint8Array): Promise<Lpips> {
  const weights = await openTensors(bytesSource(new Uint8Array(bytes), "LPIPS's network"));
  const values = await Promise.all(LAYERS.map((_, number) => readLayer(weights, number)));
  const tf = await openTfjs();
  const layers = values.map((layer) => openLayer(tf, layer));
  /** The five maps [B, h, w] between the first B pictures and the targets, which follow them. */
  const mapsOf = (batch: tfjs.Tensor4D, targets: tfjs.Tensor1D) =>
    tf.tidy(() => {
      let out = intoBlocks(tf, networkColours(tf, batch), FIRST);
      return layers.map(({ filter, bias, importance }, i) => {
        const { pad, pool } = LAYERS[i]!;
        if (pool) out = tf.maxPool(out, 3, 2, "valid");
        out = convolve(tf, out, { filter, bias, stride: 1, pad: [[0, 0], [pad, pad], [pad, pad], [0, 0]], slope: 0 });
        return differences(tf, out, { targets, importance });
      });
    });
  /** Distances of a batch over whole pictures, and then those over each mask. */
  const distancesOf = (pairs: readonly LpipsPair[]) =>
    tf.tidy(() => {
      const targets = [...new Set(pairs.map(({ target }) => target))];
      const images = stackImages(tf, [...pairs.map(({ picture }) => picture), ...targets]);
      const maps = mapsOf(images, tf.tensor1d(pairs.map(({ target }) => targets.indexOf(target)), "int32"));
      const own = tf.range(0, pairs.length, 1, "int32");
      const whole = tf.addN(maps.map((map) => weightedMeans(tf, map, { owners: own, weights: tf.onesLike(map) })));
      const masks = maskedOf(pairs);
      if (masks.length === 0) return whole;
      const { width, height } = pairs[0]!.picture;
      const owners = tf.tensor1d(masks.map(({ pair }) => pair), "int32");
      const pixels = tf.stack(masks.map(({ mask }) => tf.tensor3d(mask, [height, width, 1]))) as tfjs.Tensor4D;
      const parts = maps.map((map) => {
        const [, h, w] = map.shape;
        return weightedMeans(tf, map, { owners, weights: sharesOf(tf, pixels, { width: w, height: h }) });
      });
      return tf.concat([whole, tf.addN(parts)]);
    });
  return {
    async distances(pairs) {
      for (const pair of pairs) checkSizes(pair);
      // A target goes through the network once a batch, so pairs that share one stand together.
      const byTarget = [...Map.groupBy(pairs.keys(), (i) => pairs[i]!.target).values()].flat();
      const alike = Map.groupBy(byTarget, (i) => `${pairs[i]!.picture.width}×${pairs[i]!.picture.height}`);
      const batches = [...alike.values()].flatMap((all) =>
        Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, k) => all.slice(k * AT_ONCE, (k + 1) * AT_ONCE))
      );
      const found = batches.map((batch) => {
        const distances = distancesOf(batch.map((i) => pairs[i]!));
        // What lies between its layers is free for the next batch as soon as this one is submitted.
        submitRecorded(webgpuBackend(tf));
        return distances;
      });
      const values = await readBack(found, "LPIPS");
      const rows = pairs.map(({ masks }) => masks.map((): number | null => null));
      for (const [k, batch] of batches.entries()) {
        const masked = maskedOf(batch.map((i) => pairs[i]!));
        for (const [at, { pair, index }] of masked.entries()) {
          rows[batch[pair]!]![index] = values[k]![batch.length + at]!;
        }
        for (const [at, i] of batch.entries()) {
          for (const [index, mask] of pairs[i]!.masks.entries()) if (mask === null) rows[i]![index] = values[k]![at]!;
        }
      }
      return rows;
    },
    dispose() {
      for (const { filter, bias, importance } of layers) tf.dispose([filter, bias, importance]);
    },
  };
}

/** The masks of a batch that are not empty, of which pair each is, and which of its masks. */
function maskedOf(pairs: readonly LpipsPair[]): { mask: Float32Array; pair: number; index: number }[] {
  return pairs.flatMap(({ masks }, pair) =>
    masks.flatMap((mask, index) => mask?.some((weight) => weight > 0) ? [{ mask, pair, index }] : [])
  );
}

/** A layer's weights. */
async function readLayer(weights: TensorFile, number: number) {
  const { side, inputs, outputs } = LAYERS[number]!;
  const shape: [number, number, number, number] = [side, side, inputs, outputs];
  const name = `AlexNet_0.Conv_${number}`;
  return {
    shape,
    filter: await readFloats(weights, { name: `${name}.kernel`, shape }),
    bias: await readFloats(weights, { name: `${name}.bias`, shape: [outputs] }),
    importance: await readFloats(weights, { name: `NetLinLayer_${number}.Conv_0.kernel`, shape: [1, 1, outputs, 1] }),
  };
}

function openLayer(tf: Tfjs, { shape, filter, bias, importance }: Awaited<ReturnType<typeof readLayer>>) {
  const whole = tf.tensor4d(filter, shape);
  return {
    filter: shape[0] === FIRST.side ? overBlocks(tf, whole, FIRST) : whole,
    bias: tf.tensor1d(bias),
    importance: tf.tensor1d(importance),
  };
}

function checkSizes({ picture: { width, height }, target, masks }: LpipsPair): void {
  if (Math.min(width, height) < LEAST_SIDE) {
    throw new RangeError(`LPIPS compares pictures of at least ${LEAST_SIDE}×${LEAST_SIDE}, not ${width}×${height}`);
  }
  if (target.width !== width || target.height !== height) {
    throw new RangeError(
      `LPIPS compares pictures of one size, not ${width}×${height} and ${target.width}×${target.height}`,
    );
  }
  const other = masks.find((mask) => mask !== null && mask.length !== width * height);
  if (other) throw new RangeError(`LPIPS of ${width}×${height} pixels cannot take a mask of ${other.length}`);
}

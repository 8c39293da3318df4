/**
 * The transpose of the render operators of a batch of faces, on the device: for each texel the list of the pixels that
 * look at it. So the gradient is a gather, with a fixed order of every sum. The lists are counted and filled by atomic
 * additions of whole numbers, which know no order; each is sorted when it is read.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { prefixSum } from "@ftim/gpu/prefix-sum";
import type { MeshRange } from "@ftim/gpu/raster";
import { clearedTensor, emptyTensor, run } from "@ftim/gpu/wgsl";
import { countCode, fillCode, gatherCode } from "./render_device_wgsl.ts";
import { boxOf, type PixelPlaces, runEachPixel } from "./render_pixels.ts";

/** The lists of some neighbouring faces of a batch, on the device until `disposeTransposed`. */
export interface TransposedRender {
  readonly range: MeshRange;
  /** Where the list of each texel ends and the next one's begins, int32. */
  readonly ends: Tensor;
  /** Pixel and weight of each tap, the weight as a float's bits. */
  readonly lists: Tensor;
}

/** Makes the lists of all faces, of as many together as the device's buffers hold. */
export function transposeRender(tf: Tfjs, pixels: PixelPlaces): TransposedRender[] {
  const { count, size, samples } = pixels;
  const { across, down } = boxOf(pixels);
  const taps = Math.max(1, 4 * samples ** 2 * across * down);
  const { maxStorageBufferBindingSize: largest } = webgpuBackend(tf).device.limits;
  const most = Math.max(1, Math.floor(largest / Math.max(8 * taps, 4 * size ** 2)));
  return Array.from({ length: Math.ceil(count / most) }, (_, part) => {
    const range = { first: part * most, count: Math.min(most, count - part * most) };
    const counts = clearedTensor(tf, { shape: [range.count * size ** 2], dtype: "int32" });
    runEachPixel(tf, pixels, { name: "count", code: countCode, into: counts, range });
    // Where each list begins; filling moves that to its end.
    const ends = tf.engine().makeTensorFromTensorInfo(prefixSum(webgpuBackend(tf), counts));
    const lists = emptyTensor(tf, { shape: [range.count * taps, 2], dtype: "int32" });
    runEachPixel(tf, pixels, { name: "fill", code: fillCode, into: ends, outputs: [lists], range });
    counts.dispose();
    return { range, ends: tf.keep(ends), lists: tf.keep(lists) };
  });
}

/**
 * The transpose times pictures.
 *
 * @param pictures [B, H, W, C]
 * @returns [B, S, S, C]
 */
export function applyTransposed(
  tf: Tfjs,
  transposed: readonly TransposedRender[],
  { pictures, size }: { pictures: Tensor4D; size: number },
): Tensor4D {
  const [count, , , channels] = pictures.shape;
  const textures = emptyTensor(tf, { shape: [count, size, size, channels], dtype: "float32" });
  for (const { range, ends, lists } of transposed) {
    const texels = range.count * size ** 2;
    run(tf, {
      key: `render_gather_${channels}`,
      code: () => gatherCode(channels),
      inputs: [ends, pictures],
      outputs: [textures],
      into: lists,
      shape: lists.shape,
      uniforms: [texels, range.first * size ** 2],
      invocations: texels,
    });
  }
  return textures as Tensor4D;
}

/** Frees lists. */
export function disposeTransposed(transposed: readonly TransposedRender[]): void {
  for (const { ends, lists } of transposed) {
    ends.dispose();
    lists.dispose();
  }
}

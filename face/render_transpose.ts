/**
 * The transpose of the render operators of a batch of faces, on the device: for each texel a linked list of the taps of
 * the pixels that look at it. So the gradient is a gather, with a fixed order of every sum. The lists are linked in any
 * order, by an atomic exchange of whole numbers, and each is sorted when it is first read.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { itemsAtOnce } from "@ftim/gpu/at-once";
import type { Tfjs } from "@ftim/gpu/backend";
import type { MeshRange } from "@ftim/gpu/raster";
import { clearedTensor, emptyTensor, run } from "@ftim/gpu/wgsl";
import { gatherCode, linkCode } from "./render_transpose_wgsl.ts";
import { type PixelPlaces, runEachPixel } from "./render_pixels.ts";

/** The lists of some neighbouring faces of a batch, on the device until `disposeTransposed`. */
export interface TransposedRender {
  readonly range: MeshRange;
  /** The first tap of each texel, int32. */
  readonly firsts: Tensor;
  /** For each tap the next one of its texel, and the weight as a float's bits. */
  readonly taps: Tensor;
  /** Whether each list is in the order of the pixels. */
  sorted: boolean;
}

/** Makes the lists of all faces, of as many together as the device's buffers hold. */
export function transposeRender(tf: Tfjs, pixels: PixelPlaces): TransposedRender[] {
  const { count, width, height, size, samples } = pixels;
  const each = 4 * samples ** 2 * width * height;
  const most = itemsAtOnce(tf, Math.max(8 * each, 4 * size ** 2));
  return Array.from({ length: Math.ceil(count / most) }, (_, part) => {
    const range = { first: part * most, count: Math.min(most, count - part * most) };
    const firsts = tf.keep(clearedTensor(tf, { shape: [range.count * size ** 2], dtype: "int32" }));
    const taps = tf.keep(emptyTensor(tf, { shape: [range.count * each, 2], dtype: "int32" }));
    runEachPixel(tf, pixels, { name: "link", code: linkCode, into: firsts, outputs: [taps], range });
    return { range, firsts, taps, sorted: false };
  });
}

/**
 * The transpose times pictures.
 *
 * @param transposed of `pixels`
 * @param pictures [B, H, W, C]
 * @returns [B, S, S, C]
 */
export function applyTransposed(
  tf: Tfjs,
  transposed: readonly TransposedRender[],
  { pictures, pixels: { size, samples } }: { pictures: Tensor4D; pixels: PixelPlaces },
): Tensor4D {
  const [batch, height, width, channels] = pictures.shape;
  const textures = emptyTensor(tf, { shape: [batch, size, size, channels], dtype: "float32" });
  for (const part of transposed) {
    const { range: { first, count }, firsts, taps } = part;
    const texels = count * size ** 2;
    run(tf, {
      key: `render_gather_${samples}_${channels}`,
      code: () => gatherCode(samples, channels),
      inputs: [pictures],
      outputs: [firsts, textures],
      into: taps,
      shape: taps.shape,
      uniforms: [texels, first * size ** 2, first * width * height, part.sorted ? 1 : 0],
      invocations: texels,
    });
    part.sorted = true;
  }
  return textures as Tensor4D;
}

/** Frees lists. */
export function disposeTransposed(transposed: readonly TransposedRender[]): void {
  for (const { firsts, taps } of transposed) {
    firsts.dispose();
    taps.dispose();
  }
}

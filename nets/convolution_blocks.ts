/**
 * A strided convolution of few channels, such as the first of a network, as one of blocks: pixels of stride × stride
 * become the channels of one, and the convolution reads every block. Our kernels are fast at that: they take channels
 * four at a time, and neighbouring results share most of what they read.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";

/** The convolution on pixels. */
export interface StridedConvolution {
  /** Of the square filter. */
  readonly side: number;
  /** Also the side of a block. */
  readonly stride: number;
  /** So many pixels of zeros on all sides. */
  readonly border: number;
}

/**
 * Pictures cut into blocks; the border is in them. Not differentiable.
 *
 * @param pictures `[B, H, W, C]`
 * @returns `[B, rows + n − 1, columns + n − 1, stride² · C]` for a result of rows × columns and a filter of n × n
 *   blocks
 */
export function intoBlocks(
  tf: Tfjs,
  pictures: tfjs.Tensor4D,
  { side, stride, border }: StridedConvolution,
): tfjs.Tensor4D {
  const [batch, height, width, channels] = pictures.shape;
  const blocks = (pixels: number) => Math.floor((pixels + 2 * border - side) / stride) + Math.ceil(side / stride);
  const [rows, columns] = [blocks(height), blocks(width)];
  const size = stride * stride * channels;
  const count = batch * rows * columns;
  return run(tf, {
    key: "convolution_blocks",
    code: () =>
      program({
        result: "f32",
        inputs: [["x", "f32"]],
        uniforms: ["count", "rows", "columns", "height", "row", "stride", "strip", "border", "size"],
        body: `
  if (id >= u.count) { return; }
  // The block's first pixel, and how far into a row of values it lies.
  let y = id / u.columns % u.rows * u.stride - u.border;
  let left = (id % u.columns * u.stride - u.border) * (u.strip / u.stride);
  let image = id / (u.columns * u.rows) * u.height;
  for (var k = 0; k < u.size; k++) {
    let line = y + k / u.strip;
    let at = left + k % u.strip;
    let inside = line >= 0 && line < u.height && at >= 0 && at < u.row;
    result[id * u.size + k] = select(0.0, x[select(0, (image + line) * u.row + at, inside)], inside);
  }`,
      }),
    inputs: [pictures],
    shape: [batch, rows, columns, size],
    uniforms: [count, rows, columns, height, width * channels, stride, stride * channels, border, size],
    invocations: count,
  }) as tfjs.Tensor4D;
}

/**
 * The filter as it reads blocks; beyond its pixels it is 0. Disposes the filter.
 *
 * @param filter `[side, side, in, out]`
 * @returns `[n, n, stride² · in, out]`, n = side over stride, rounded up
 */
export function overBlocks(
  tf: Tfjs,
  filter: tfjs.Tensor4D,
  { stride }: Pick<StridedConvolution, "stride">,
): tfjs.Tensor4D {
  const [side, , inputs, outputs] = filter.shape;
  const blocks = Math.ceil(side / stride);
  const more = blocks * stride - side;
  const cut = tf.tidy(() => {
    const padded = tf.pad(filter, [[0, more], [0, more], [0, 0], [0, 0]]);
    const parts = tf.reshape(padded, [blocks, stride, blocks, stride * inputs, outputs]);
    return tf.reshape(tf.transpose(parts, [0, 2, 1, 3, 4]), [blocks, blocks, stride * stride * inputs, outputs]);
  });
  filter.dispose();
  return cut as tfjs.Tensor4D;
}

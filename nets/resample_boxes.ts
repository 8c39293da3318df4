/**
 * Resampling of a batch on the device with a box of each image's own, see resample_taps.ts. The values are those of
 * `resample` for each image by itself, bit by bit; not differentiable.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { type Box, type Taps, taps } from "./resample_taps.ts";

/**
 * Cuts a box out of each image and resamples it; what lies outside of the image is its nearest edge pixel.
 *
 * @param images `[B, H, W, C]`
 * @param options `boxes`: one an image
 * @returns `[B, height, width, C]`
 * @throws {RangeError} if there are not as many boxes as images, or a box is not positive; the message names its index
 */
export function resampleBoxes(
  tf: Tfjs,
  images: Tensor4D,
  { boxes, width, height }: { boxes: readonly Box[]; width: number; height: number },
): Tensor4D {
  const [count, inHeight, inWidth, channels] = images.shape;
  if (boxes.length !== count) throw new RangeError(`Cannot resample ${count} images with ${boxes.length} boxes`);
  for (const [i, { left, top, width, height }] of boxes.entries()) {
    if (width > 0 && height > 0 && Number.isFinite(left + top + width + height)) continue;
    throw new RangeError(`Cannot cut a box of ${width}×${height} pixels at ${left}, ${top} out of image ${i}`);
  }
  if (count === 0) return tf.zeros([0, height, width, channels]);
  const down = joined(boxes.map((box) => taps({ size: inHeight, start: box.top, length: box.height }, height, "edge")));
  const across = joined(boxes.map((box) => taps({ size: inWidth, start: box.left, length: box.width }, width, "edge")));
  return tf.tidy(() => {
    const rows = along(tf, images, { ...down, shape: [count, height, inWidth, channels], axis: 1 });
    return along(tf, rows, { ...across, shape: [count, height, width, channels], axis: 2 });
  });
}

/** The weights of one axis of all images; each has as many a pixel as the one with most. */
function joined(all: readonly Taps[]): Taps {
  const width = Math.max(...all.map((one) => one.width));
  const pixels = all[0]!.first.length;
  const first = new Int32Array(all.length * pixels);
  const weights = new Float32Array(all.length * pixels * width);
  for (const [image, one] of all.entries()) {
    first.set(one.first, image * pixels);
    for (let i = 0; i < pixels; i++) {
      weights.set(one.weights.subarray(i * one.width, (i + 1) * one.width), (image * pixels + i) * width);
    }
  }
  return { width, first, weights };
}

/** One of the two passes. */
interface Pass extends Taps {
  /** Of the result. */
  readonly shape: [number, number, number, number];
  readonly axis: 1 | 2;
}

function along(tf: Tfjs, x: Tensor4D, { width, first, weights, shape, axis }: Pass): Tensor4D {
  const [count, height, columns, channels] = shape;
  // Rows are summed four values at a time, pixels with all of their channels.
  const wide = axis === 1 && columns * channels % 4 === 0;
  const element = wide ? "vec4<f32>" : "f32";
  const values = axis === 1 ? 1 : channels;
  const inner = axis === 1 ? columns * channels / (wide ? 4 : 1) : 1;
  const invocations = count * height * (axis === 1 ? inner : columns);
  return run(tf, {
    key: `resample_boxes_${element}_${values}`,
    code: () => passCode(element, values),
    inputs: [x, tf.tensor1d(first, "int32"), tf.tensor1d(weights)],
    shape,
    uniforms: [invocations, inner, shape[axis], x.shape[axis]!, axis === 1 ? 1 : height, width],
    invocations,
  }) as Tensor4D;
}

/**
 * An invocation sums `values` neighbouring elements. `rows` is the length of the axis in the result and `size` in `x`;
 * an image has `outer` such axes.
 */
const passCode = (element: string, values: number) => {
  const each = (text: (k: number) => string) => Array.from({ length: values }, (_, k) => text(k)).join("\n    ");
  return program({
    result: element,
    inputs: [["x", element], ["first", "i32"], ["weights", "f32"]],
    uniforms: ["count", "inner", "rows", "size", "outer", "taps"],
    functions: QUOTIENT,
    body: `
  if (id >= u.count) { return; }
  let line = quotient(id, u.inner);
  let k = id - line * u.inner;
  let axis = quotient(line, u.rows);
  let place = quotient(axis, u.outer) * u.rows + line - axis * u.rows;
  ${each((k) => `var sum${k} = ${element}();`)}
  for (var tap = 0; tap < u.taps; tap++) {
    let weight = ${element}(weights[place * u.taps + tap]);
    // An image may have fewer taps than another; those that are left have no weight.
    let at = ${values} * ((axis * u.size + min(first[place] + tap, u.size - 1)) * u.inner + k);
    ${each((k) => `sum${k} = fma(weight, x[at + ${k}], sum${k});`)}
  }
  ${each((k) => `result[${values} * id + ${k}] = sum${k};`)}`,
  });
};

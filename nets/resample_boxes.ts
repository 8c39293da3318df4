/**
 * `resample` of a batch of images with a box for each, in one pass there and one back. The taps of the boxes stay on
 * the device as long as the boxes are looked at.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { type SparseMatrix, transposeSparse } from "@ftim/gpu/sparse-matrix";
import { differentiable, program, run } from "@ftim/gpu/wgsl";
import { type Box, interpolationMatrix } from "./resample_taps.ts";

/** Matrices of one axis, one an image: row r of image b has the entries `offsets[b, r]` up to `offsets[b, r + 1]`. */
interface AxisTaps {
  readonly offsets: Tensor;
  readonly indices: Tensor;
  readonly weights: Tensor;
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The taps of a batch of boxes, both ways. */
export interface BoxTaps {
  /** Size of the images. */
  readonly from: Size;
  /** Size of what is cut out. */
  readonly to: Size;
  readonly down: AxisTaps;
  readonly across: AxisTaps;
  readonly downBack: AxisTaps;
  readonly acrossBack: AxisTaps;
}

/**
 * Puts the taps of some boxes on the device, until `disposeBoxTaps`.
 *
 * @param sizes `from`: of the images; `to`: of what is cut out. What lies outside of an image is its nearest edge pixel
 * @throws {RangeError} without a box, or if one is not positive and finite; the message names its index
 */
export function uploadBoxTaps(tf: Tfjs, boxes: readonly Box[], { from, to }: Pick<BoxTaps, "from" | "to">): BoxTaps {
  if (boxes.length === 0) throw new RangeError("There is no box to cut out");
  for (const [i, { left, top, width, height }] of boxes.entries()) {
    if (width > 0 && height > 0 && Number.isFinite(left + top + width + height)) continue;
    throw new RangeError(`Cannot cut a box of ${width}×${height} pixels at ${left}, ${top} out of image ${i}`);
  }
  const down = boxes.map(({ top, height }) =>
    interpolationMatrix({ size: from.height, start: top, length: height }, { count: to.height })
  );
  const across = boxes.map(({ left, width }) =>
    interpolationMatrix({ size: from.width, start: left, length: width }, { count: to.width })
  );
  return {
    from,
    to,
    down: upload(tf, down),
    across: upload(tf, across),
    downBack: upload(tf, down.map(transposeSparse)),
    acrossBack: upload(tf, across.map(transposeSparse)),
  };
}

function upload(tf: Tfjs, matrices: readonly SparseMatrix[]): AxisTaps {
  let entries = 0;
  const offsets = matrices.flatMap((matrix) => {
    const first = entries;
    entries += matrix.indices.length;
    return Array.from(matrix.offsets, (offset) => first + offset);
  });
  return {
    offsets: tf.keep(tf.tensor1d(offsets, "int32")),
    indices: tf.keep(tf.tensor1d(matrices.flatMap(({ indices }) => [...indices]), "int32")),
    weights: tf.keep(tf.tensor1d(matrices.flatMap(({ weights }) => [...weights]))),
  };
}

/** Frees taps. */
export function disposeBoxTaps({ down, across, downBack, acrossBack }: BoxTaps): void {
  for (const taps of [down, across, downBack, acrossBack]) {
    for (const tensor of [taps.offsets, taps.indices, taps.weights]) tensor.dispose();
  }
}

/**
 * Cuts its box out of every image and resamples it. Differentiable. Bit-repeatable, also over batch sizes.
 *
 * @param x [B, H, W, 3] of the size that the taps are from, as many images as there were boxes
 * @returns [B, height, width, 3]
 * @throws {RangeError} if the images are of another number or size
 */
export function resampleBoxes(tf: Tfjs, x: Tensor4D, { from, to, ...taps }: BoxTaps): Tensor4D {
  const count = (taps.down.offsets.size) / (to.height + 1);
  if (`${x.shape}` !== `${[count, from.height, from.width, 3]}`) {
    throw new RangeError(
      `Cannot cut ${count} boxes out of images [${x.shape}]: they are for ${from.width}×${from.height}`,
    );
  }
  return differentiable(tf, {
    inputs: [x],
    forward: () => gather(tf, x, { down: taps.down, across: taps.across, from, to }),
    gradient: (dy) => [gather(tf, dy, { down: taps.downBack, across: taps.acrossBack, from: to, to: from })],
  }) as Tensor4D;
}

function gather(
  tf: Tfjs,
  x: Tensor,
  { down, across, from, to }: Pick<BoxTaps, "down" | "across" | "from" | "to">,
): Tensor {
  const [batch = 0] = x.shape;
  const count = batch * to.width * to.height;
  return run(tf, {
    key: "resample_boxes",
    code,
    inputs: [x, down.offsets, down.indices, down.weights, across.offsets, across.indices, across.weights],
    shape: [batch, to.height, to.width, 3],
    uniforms: [count, from.width, from.height, to.width, to.height],
    invocations: count,
  });
}

function code(): string {
  return program({
    result: "f32",
    inputs: [
      ["x", "f32"],
      ["rows", "i32"],
      ["rowIndices", "i32"],
      ["rowWeights", "f32"],
      ["columns", "i32"],
      ["columnIndices", "i32"],
      ["columnWeights", "f32"],
    ],
    uniforms: ["total", "fromWidth", "fromHeight", "width", "height"],
    body: `
  if (id >= u.total) { return; }
  let image = id / (u.width * u.height);
  let row = image * (u.height + 1) + id / u.width % u.height;
  let column = image * (u.width + 1) + id % u.width;
  var sum = vec3<f32>();
  for (var i = rows[row]; i < rows[row + 1]; i++) {
    let first = (image * u.fromHeight + rowIndices[i]) * u.fromWidth;
    var line = vec3<f32>();
    for (var j = columns[column]; j < columns[column + 1]; j++) {
      let at = 3 * (first + columnIndices[j]);
      line += columnWeights[j] * vec3<f32>(x[at], x[at + 1], x[at + 2]);
    }
    sum += rowWeights[i] * line;
  }
  result[3 * id] = sum.x;
  result[3 * id + 1] = sum.y;
  result[3 * id + 2] = sum.z;`,
  });
}

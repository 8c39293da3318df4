/**
 * `resample` of a batch of images with a box for each, in one pass there and one back. The taps of the boxes stay on
 * the device as long as the boxes are looked at.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { type SparseMatrix, transposeSparse } from "@ftim/gpu/sparse-cpu";
import { differentiable, program, run } from "@ftim/gpu/wgsl";
import { type Box, interpolationMatrix } from "./resample_taps.ts";

/** Matrices of one axis, one an image: row r of image b has the entries `offsets[b, r]` up to `offsets[b, r + 1]`. */
interface AxisTaps {
  readonly offsets: Tensor;
  readonly indices: Tensor;
  readonly weights: Tensor;
}

/** The taps of a batch of boxes, both ways. */
export interface BoxTaps {
  /** Width and height of the images. */
  readonly from: number;
  /** Width and height of what is cut out. */
  readonly to: number;
  readonly down: AxisTaps;
  readonly across: AxisTaps;
  readonly downBack: AxisTaps;
  readonly acrossBack: AxisTaps;
}

/**
 * Puts the taps of some boxes on the device, until `disposeBoxTaps`.
 *
 * @param sides `from`: side of the images in pixels; `to`: side of what is cut out
 */
export function uploadBoxTaps(
  tf: Tfjs,
  boxes: readonly Box[],
  { from, to }: { readonly from: number; readonly to: number },
): BoxTaps {
  const along = (start: (box: Box) => number, length: (box: Box) => number) =>
    boxes.map((box) => interpolationMatrix({ size: from, start: start(box), length: length(box) }, { count: to }));
  const down = along(({ top }) => top, ({ height }) => height);
  const across = along(({ left }) => left, ({ width }) => width);
  const [there, back] = [
    (matrices: SparseMatrix[]) => upload(tf, matrices),
    (matrices: SparseMatrix[]) => upload(tf, matrices.map(transposeSparse)),
  ] as const;
  return { from, to, down: there(down), across: there(across), downBack: back(down), acrossBack: back(across) };
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
 * @param x [B, from, from, 3], of as many images as there are boxes
 * @returns [B, to, to, 3]
 */
export function resampleBoxes(tf: Tfjs, x: Tensor4D, { from, to, ...taps }: BoxTaps): Tensor4D {
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
  return run(tf, {
    key: "resample_boxes",
    code,
    inputs: [x, down.offsets, down.indices, down.weights, across.offsets, across.indices, across.weights],
    shape: [batch, to, to, 3],
    uniforms: [batch * to * to, from, to],
    invocations: batch * to * to,
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
    uniforms: ["total", "side", "to"],
    body: `
  if (id >= u.total) { return; }
  let image = id / (u.to * u.to);
  let row = image * (u.to + 1) + id / u.to % u.to;
  let column = image * (u.to + 1) + id % u.to;
  var sum = vec3<f32>();
  for (var i = rows[row]; i < rows[row + 1]; i++) {
    let first = (image * u.side + rowIndices[i]) * u.side;
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

/**
 * The transpose of a sparse matrix that has a fixed number of taps a row, made and applied on the device: for each
 * column the list of its taps, in the order of the rows. So a gradient is a gather with a fixed order of every sum. The
 * lists are counted and filled by atomic additions of whole numbers, which know no order, and each is sorted after.
 * `transposeSparse` and `applySparseCpu` are the same in plain loops.
 */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { type Tfjs, webgpuBackend } from "./backend.ts";
import { dispatch, program } from "./kernels/dispatch.ts";
import { prefixSum } from "./kernels/prefix_sum.ts";
import { emptyTensor, run } from "./ops/run.ts";

/** A matrix with `taps` entries in each row. */
export interface Taps {
  /** int32 [rows, taps]: the column of each, −1 where there is none. */
  readonly columns: Tensor;
  /** [rows, taps] */
  readonly weights: Tensor;
}

/** Its transpose: 4 bytes a column and 8 bytes a tap, on the device until `disposeTransposed`. */
export interface TransposedTaps {
  /** Where each column's list ends, and the next one's begins. */
  readonly ends: Tensor;
  /** Row and weight of each tap, the weight as a float's bits. */
  readonly lists: Tensor;
  readonly columns: number;
}

/**
 * Transposes a matrix.
 *
 * @param columns how many there are
 * @throws {GpuError} if the device can bind no buffer as large as the lists
 */
export function transposeTaps(tf: Tfjs, taps: Taps, columns: number): TransposedTaps {
  const [rows = 0, each = 1] = taps.columns.shape;
  const count = rows * each;
  const backend = webgpuBackend(tf);
  return tf.tidy(() => {
    const counts = tf.fill([columns], 0, "int32");
    dispatch(backend, {
      key: "taps_count",
      code: countCode,
      inputs: [taps.columns],
      shape: [columns],
      dtype: "int32",
      into: counts,
      uniforms: [count],
      invocations: count,
    });
    // Where each list begins; filling moves that to its end.
    const ends = tf.engine().makeTensorFromTensorInfo(prefixSum(backend, counts));
    const entries = emptyTensor(tf, { shape: [Math.max(1, count)], dtype: "int32" });
    dispatch(backend, {
      key: "taps_fill",
      code: fillCode,
      inputs: [taps.columns],
      outputs: [entries],
      shape: [columns],
      dtype: "int32",
      into: ends,
      uniforms: [count],
      invocations: count,
    });
    const lists = emptyTensor(tf, { shape: [Math.max(1, count), 2], dtype: "int32" });
    dispatch(backend, {
      key: "taps_sort",
      code: sortCode,
      inputs: [ends, taps.weights],
      outputs: [lists],
      shape: entries.shape,
      dtype: "int32",
      into: entries,
      uniforms: [columns, each],
      invocations: columns,
    });
    return { ends: tf.keep(ends), lists: tf.keep(lists), columns };
  });
}

/**
 * The transpose times a dense matrix.
 *
 * @param dense [rows, channels]
 * @returns [columns, channels]
 */
export function applyTransposed(tf: Tfjs, { ends, lists, columns }: TransposedTaps, dense: Tensor2D): Tensor2D {
  const [, channels] = dense.shape;
  return run(tf, {
    key: `taps_gather_${channels}`,
    code: () => gatherCode(channels),
    inputs: [ends, lists, dense],
    shape: [columns, channels],
    uniforms: [columns],
    invocations: columns,
  }) as Tensor2D;
}

/** Frees a transpose. */
export function disposeTransposed({ ends, lists }: TransposedTaps): void {
  for (const tensor of [ends, lists]) tensor.dispose();
}

function countCode(): string {
  return program({
    result: "atomic<i32>",
    inputs: [["columns", "i32"]],
    uniforms: ["count"],
    body: `
  if (id >= u.count) { return; }
  let column = columns[id];
  if (column >= 0) { atomicAdd(&result[column], 1); }`,
  });
}

function fillCode(): string {
  return program({
    result: "atomic<i32>",
    inputs: [["columns", "i32"]],
    outputs: [["entries", "i32"]],
    uniforms: ["count"],
    body: `
  if (id >= u.count) { return; }
  let column = columns[id];
  if (column >= 0) { entries[atomicAdd(&result[column], 1)] = id; }`,
  });
}

/** Sorts each list by insertion, since it is short, and writes rows and weights in that order. */
function sortCode(): string {
  return program({
    result: "i32",
    inputs: [["ends", "i32"], ["weights", "u32"]],
    outputs: [["lists", "vec2<u32>"]],
    uniforms: ["columns", "each"],
    body: `
  if (id >= u.columns) { return; }
  let end = ends[id];
  let start = select(ends[max(id, 1) - 1], 0, id == 0);
  for (var k = start + 1; k < end; k++) {
    let entry = result[k];
    var to = k;
    while (to > start) {
      let before = result[to - 1];
      if (before <= entry) { break; }
      result[to] = before;
      to--;
    }
    result[to] = entry;
  }
  for (var k = start; k < end; k++) {
    let entry = result[k];
    lists[k] = vec2<u32>(u32(entry / u.each), weights[entry]);
  }`,
  });
}

/** One invocation a column; it holds the sums of all channels in registers. */
function gatherCode(channels: number): string {
  const each = (line: (c: number) => string) => Array.from({ length: channels }, (_, c) => line(c)).join(" ");
  return program({
    result: "f32",
    inputs: [["ends", "i32"], ["lists", "vec2<u32>"], ["dense", "f32"]],
    uniforms: ["columns"],
    body: `
  if (id >= u.columns) { return; }
  let end = ends[id];
  ${each((c) => `var sum${c} = 0.0;`)}
  for (var k = select(ends[max(id, 1) - 1], 0, id == 0); k < end; k++) {
    let tap = lists[k];
    let weight = bitcast<f32>(tap.y);
    let at = ${channels} * i32(tap.x);
    ${each((c) => `sum${c} += weight * dense[at + ${c}];`)}
  }
  ${each((c) => `result[${channels} * id + ${c}] = sum${c};`)}`,
  });
}

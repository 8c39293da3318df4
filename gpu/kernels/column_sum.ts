/**
 * Sums and means over leading axes, such as the gradient of a bias: [.., channels] → [channels].
 *
 * tfjs transposes the whole tensor first. Here neighbouring invocations add neighbouring columns over a chunk of rows
 * each, and the chunks are added in order.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispatch, program } from "./dispatch.ts";
import { chunksOf, elementFor } from "./invocations.ts";
import type { Through } from "./texels.ts";

/** Options of `columnSum`. */
export interface ColumnSumOptions<Tensor = TensorInfo> {
  readonly rows: number;
  readonly columns: number;
  readonly shape: readonly number[];
  readonly software: boolean;
  /** Passes x through the gradient of a leaky relu first. */
  readonly through?: Through<Tensor> | undefined;
  /** What each sum is multiplied by. Default 1. */
  readonly scale?: number;
}

/** Sums the rows of x as [rows, columns]. The result has the given shape. */
export function columnSum(
  backend: WebGPUBackend,
  x: TensorInfo,
  { rows, columns, shape, software, through, scale = 1 }: ColumnSumOptions,
): TensorInfo {
  const { element, width } = elementFor(columns);
  const groups = columns / width;
  const chunks = chunksOf(rows, { others: groups, software });
  const pass = (
    source: TensorInfo,
    step: { rows: number; chunks: number; shape: readonly number[]; scale: number; through?: Through | undefined },
  ) =>
    dispatch(backend, {
      key: `column_sum_${element}${step.through === undefined ? "" : "_through"}`,
      code: () => code(element, step.through !== undefined),
      inputs: step.through === undefined ? [source] : [source, step.through.value],
      shape: step.shape,
      uniforms: [groups * step.chunks, groups, step.rows, Math.ceil(step.rows / step.chunks), {
        f32: step.through?.slope ?? 1,
      }, { f32: step.scale }],
      invocations: groups * step.chunks,
    });
  if (chunks === 1) return pass(x, { rows, chunks, shape, through, scale });
  const partial = pass(x, { rows, chunks, shape: [chunks, columns], through, scale: 1 });
  const sum = pass(partial, { rows: chunks, chunks: 1, shape, scale });
  backend.disposeData(partial.dataId);
  return sum;
}

function code(element: string, through: boolean): string {
  return program({
    result: element,
    inputs: [["x", element], ...(through ? [["value", element] as const] : [])],
    uniforms: ["count", "groups", "rows", "chunk", "slope:f32", "scale:f32"],
    body: `
  if (id >= u.count) { return; }
  let column = id % u.groups;
  let first = (id / u.groups) * u.chunk;
  var sum = ${element}();
  for (var row = first; row < min(first + u.chunk, u.rows); row++) {
    let at = row * u.groups + column;
    sum += ${through ? `select(x[at] * u.slope, x[at], value[at] > ${element}())` : "x[at]"};
  }
  result[id] = u.scale * sum;`,
  });
}
